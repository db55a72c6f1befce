#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* ---- many at once ---- */

enum { WRITERS = 8, TIMES = 25, LETTERS = 200000 };

/* All of one letter, so that a torn file shows. */
static tg_status write_letters(FILE *out, void *letter)
{
    for (int i = 0; i < LETTERS; i++)
        fputc(*(const char *)letter, out);
    return TG_OK;
}

static void *write_often(void *letter)
{
    char why[512];
    for (int i = 0; i < TIMES; i++)
        if (tg_write_whole(path, write_letters, letter, why, sizeof why) != TG_OK)
            return "failed";
    return NULL;
}

static void assert_one_letter(void)
{
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    int first = fgetc(in), count = 1;
    for (int c; (c = fgetc(in)) != EOF; count++)
        ck_assert_int_eq(c, first);
    fclose(in);
    ck_assert_int_eq(count, LETTERS);
    ck_assert_int_eq(entries(), 1);
}

START_TEST(threads_may_write_one_path)
{
    pthread_t threads[WRITERS];
    char letters[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        letters[i] = (char)('a' + i);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_often, &letters[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *answer = NULL;
        pthread_join(threads[i], &answer);
        ck_assert_ptr_null(answer);
    }
    assert_one_letter();
}
END_TEST

START_TEST(processes_may_write_one_path)
{
    int status;
    for (int i = 0; i < WRITERS; i++) {
        char letter = (char)('a' + i);
        if (fork() == 0)
            _exit(write_often(&letter) ? 1 : 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    assert_one_letter();
}
END_TEST

/* ---- what killed processes leave ---- */

static tg_status write_and_die(FILE *out, void *user)
{
    (void)user;
    fprintf(out, "half");
    fflush(out);
    raise(SIGKILL);
    return TG_OK;
}

static void killed_while_writing(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        (void)!tg_write_whole(path, write_and_die, NULL, message, sizeof message);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(what_a_killed_process_left_is_removed)
{
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    killed_while_writing();
    killed_while_writing();
    assert_contents(path, "one!");
    ck_assert_int_eq(entries(), 2); /* the second removed the first's */
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"two", message, sizeof message), TG_OK);
    assert_contents(path, "two!");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

typedef struct meeting {
    int told, go; /* ends of pipes */
} meeting;

static tg_status write_slowly(FILE *out, void *user)
{
    const meeting *m = user;
    char byte = 0;
    fprintf(out, "slow");
    fflush(out);
    return write(m->told, &byte, 1) == 1 && read(m->go, &byte, 1) == 1 ? TG_OK : TG_ERROR_IO;
}

/* Nothing is known of the writer but its lock: no process id says that it lives. */
START_TEST(what_is_being_written_stays)
{
    int told[2], go[2], status;
    char byte = 0;
    ck_assert(pipe(told) == 0 && pipe(go) == 0);
    pid_t child = fork();
    if (child == 0) {
        meeting m = {told[1], go[0]};
        _exit(tg_write_whole(path, write_slowly, &m, message, sizeof message) == TG_OK ? 0 : 1);
    }
    ck_assert_int_eq(read(told[0], &byte, 1), 1);
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"fast", message, sizeof message), TG_OK);
    ck_assert_int_eq(entries(), 2);
    assert_contents(path, "fast!");
    ck_assert_int_eq(write(go[1], &byte, 1), 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    assert_contents(path, "slow");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(files_of_like_names_are_not_touched)
{
    static const char *const names[] = {"file.tmp",
                                        "file.123.tmp",
                                        "file.0123456789abcdeg.tmp",
                                        "other.0123456789abcdef.tmp",
                                        "file.0123456789ABCDEF.tmp",
                                        "file.0123456789abcdef.tmp2"};
    const int n = sizeof names / sizeof *names;
    char name[192];
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        FILE *out = fopen(name, "w");
        ck_assert_ptr_nonnull(out);
        fclose(out);
    }
    snprintf(name, sizeof name, "%s/file.0123456789abcdef.tmp", folder);
    ck_assert_int_eq(mkdir(name, 0700), 0);
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    ck_assert_int_eq(entries(), n + 2);
    ck_assert_int_eq(rmdir(name), 0);
}
END_TEST

/* ---- links ---- */

/* A link that stands where a temporary file might is neither written through nor removed with what it names. */
START_TEST(a_planted_link_is_not_followed)
{
    char link[192], victim[160];
    snprintf(victim, sizeof victim, "%s/victim", folder);
    ck_assert_int_eq(tg_write_whole(victim, write_text, (void *)"precious", message, sizeof message), TG_OK);
    snprintf(link, sizeof link, "%s/file.0123456789abcdef.tmp", folder);
    ck_assert_int_eq(symlink("victim", link), 0);
    snprintf(link, sizeof link, "%s/file.%ld.tmp", folder, (long)getpid());
    ck_assert_int_eq(symlink("victim", link), 0);
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    assert_contents(victim, "precious!");
    assert_contents(path, "one!");
}
END_TEST

START_TEST(a_link_to_nothing_gets_its_file)
{
    char link[160];
    struct stat there;
    snprintf(link, sizeof link, "%s/link", folder);
    ck_assert_int_eq(symlink("file", link), 0);
    ck_assert_int_eq(tg_may_write_whole(link, message, sizeof message), TG_OK);
    ck_assert_int_eq(tg_write_whole(link, write_text, (void *)"one", message, sizeof message), TG_OK);
    assert_contents(path, "one!");
    ck_assert_int_eq(lstat(link, &there), 0);
    ck_assert(S_ISLNK(there.st_mode));
}
END_TEST

START_TEST(links_in_a_ring_are_refused)
{
    ck_assert_int_eq(symlink("file", path), 0);
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(message, "Too many levels of symbolic links"));
}
END_TEST

/* ---- names and permissions ---- */

START_TEST(the_longest_name_is_good)
{
    char name[256], whole[512];
    memset(name, 'n', 255);
    name[255] = '\0';
    snprintf(whole, sizeof whole, "%s/%s", folder, name);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(tg_write_whole(whole, write_text, (void *)"one", message, sizeof message), TG_OK);
    assert_contents(whole, "one!");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(a_new_file_has_what_the_umask_leaves)
{
    struct stat there;
    mode_t former = umask(027);
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    ck_assert_int_eq(stat(path, &there), 0);
    ck_assert_uint_eq(there.st_mode & 0777, 0640);
    ck_assert_int_eq(chmod(path, 0666), 0); /* more than the umask would leave */
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"two", message, sizeof message), TG_OK);
    ck_assert_int_eq(stat(path, &there), 0);
    ck_assert_uint_eq(there.st_mode & 0777, 0666);
    umask(former);
}
END_TEST

/* Each test runs in a process of its own, which may become nobody's. */
static bool become_nobody(void)
{
    return getuid() != 0 || (chown(folder, 65534, 65534) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
}

START_TEST(what_may_not_be_written_is_refused)
{
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    ck_assert_int_eq(chmod(path, 0444), 0);
    if (!become_nobody())
        return;
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"two", message, sizeof message), TG_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(message, "Permission denied"));
    assert_contents(path, "one!");
    ck_assert_int_eq(chmod(folder, 0555), 0);
    char new[160];
    snprintf(new, sizeof new, "%s/new", folder);
    ck_assert_int_eq(tg_may_write_whole(new, message, sizeof message), TG_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(message, new));
    ck_assert_ptr_nonnull(strstr(message, "Permission denied"));
    ck_assert_int_eq(tg_write_whole(new, write_text, (void *)"two", message, sizeof message), TG_ERROR_IO);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(a_place_is_tried_without_a_trace)
{
    char other[192];
    ck_assert_int_eq(tg_may_write_whole(path, message, sizeof message), TG_OK);
    ck_assert_int_eq(entries(), 0);
    ck_assert_int_eq(tg_write_whole(path, write_text, (void *)"one", message, sizeof message), TG_OK);
    ck_assert_int_eq(tg_may_write_whole(path, message, sizeof message), TG_OK);
    assert_contents(path, "one!");
    ck_assert_int_eq(tg_may_write_whole(folder, message, sizeof message), TG_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(message, "Is a directory"));
    snprintf(other, sizeof other, "%s/none/file", folder);
    ck_assert_int_eq(tg_may_write_whole(other, message, sizeof message), TG_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(message, "No such file or directory"));
    ck_assert_int_eq(tg_may_write_whole("", message, sizeof message), TG_ERROR_IO);
    ck_assert_int_eq(tg_may_write_whole("/dev/null", message, sizeof message), TG_OK);
    ck_assert_int_eq(entries(), 1);
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
    tcase_add_test(tests, threads_may_write_one_path);
    tcase_add_test(tests, processes_may_write_one_path);
    tcase_add_test(tests, what_a_killed_process_left_is_removed);
    tcase_add_test(tests, what_is_being_written_stays);
    tcase_add_test(tests, files_of_like_names_are_not_touched);
    tcase_add_test(tests, a_planted_link_is_not_followed);
    tcase_add_test(tests, a_link_to_nothing_gets_its_file);
    tcase_add_test(tests, links_in_a_ring_are_refused);
    tcase_add_test(tests, the_longest_name_is_good);
    tcase_add_test(tests, a_new_file_has_what_the_umask_leaves);
    tcase_add_test(tests, what_may_not_be_written_is_refused);
    tcase_add_test(tests, a_place_is_tried_without_a_trace);
    return harness_run("whole_file", tests);
}
