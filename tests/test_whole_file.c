#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "train/whole_file.h"

static char folder[] = "/tmp/tapegrad-whole-file-XXXXXX", path[128], message[512];

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
}

static int entries(void)
{
    int n = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void teardown(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(folder);
}

static void assert_contents(const char *file, const char *expected)
{
    char text[64] = "";
    FILE *in = fopen(file, "r");
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_eq(fread(text, 1, sizeof text - 1, in), strlen(expected));
    fclose(in);
    ck_assert_str_eq(text, expected);
}

static tg_status write_text(FILE *out, void *text)
{
    fprintf(out, "%s!", (const char *)text);
    return TG_OK;
}

static tg_status write_half(FILE *out, void *status)
{
    fprintf(out, "half");
    return *(tg_status *)status;
}

START_TEST(a_file_is_written_and_replaced)
{
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    assert_contents(path, "one!");
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"two", message, sizeof message), TG_OK);
    assert_contents(path, "two!");
    struct stat there;
    ck_assert_int_eq(stat(path, &there), 0);
    ck_assert_uint_eq(there.st_mode & 0777, 0640);
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(a_failure_keeps_the_former_file)
{
    tg_status status = TG_ERROR_MEMORY;
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    ck_assert_int_eq(tg_write_whole(path, write_half, &status, message, sizeof message), TG_ERROR_MEMORY);
    ck_assert_ptr_nonnull(strstr(message, path));
    ck_assert_ptr_nonnull(strstr(message, "memory"));
    assert_contents(path, "one!");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(a_missing_folder_is_named)
{
    char there[160];
    snprintf(there, sizeof there, "%s/none/file", folder);
    ck_assert_int_eq(tg_write_whole(there, write_text, (void *)"one", message, sizeof message), TG_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(message, there));
    ck_assert_ptr_nonnull(strstr(message, "No such file or directory"));
}
END_TEST

START_TEST(a_link_is_followed)
{
    char link[160];
    snprintf(link, sizeof link, "%s/link", folder);
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    ck_assert_int_eq(symlink("file", link), 0);
    ck_assert_int_eq(tg_write_whole(link, write_text, (void *)"two", message, sizeof message), TG_OK);
    assert_contents(path, "two!");
    struct stat there;
    ck_assert_int_eq(lstat(link, &there), 0);
    ck_assert(S_ISLNK(there.st_mode));
}
END_TEST

START_TEST(a_full_device_is_told)
{
    if (access("/dev/full", W_OK) != 0)
        return;
    ck_assert_int_eq(tg_write_whole("/dev/full", write_text, (void *)"one", message, sizeof message), TG_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(message, "/dev/full: writing failed: No space left on device"));
}
END_TEST

START_TEST(a_pipe_is_written_directly)
{
    char text[8] = "";
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int end = open(path, O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(end, 0);
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    ck_assert_int_eq(read(end, text, sizeof text), 4);
    close(end);
    ck_assert_str_eq(text, "one!");
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("whole_file");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_file_is_written_and_replaced);
    tcase_add_test(tests, a_failure_keeps_the_former_file);
    tcase_add_test(tests, a_missing_folder_is_named);
    tcase_add_test(tests, a_link_is_followed);
    tcase_add_test(tests, a_full_device_is_told);
    tcase_add_test(tests, a_pipe_is_written_directly);
    return harness_run("whole_file", tests);
}
