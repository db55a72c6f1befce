#include "train/text_file.h"

#include <inttypes.h>
#include <string.h>

#include "train/file_kind.h"

#define MOST_BYTES (64 << 20)

static tg_status load(tg_stream *stream, tg_text_limit limit, tg_text_file *file)
{
    if (stream->file_bytes > limit.most)
        return tg_file_fail(stream->message, TG_ERROR_FORMAT, stream->path, "larger than %" PRId64 " bytes%s", limit.most,
                            limit.option);
    size_t bytes = (size_t)stream->file_bytes;
    file->text = tg_allocate(file->context, bytes + 1);
    if (!file->text)
        return tg_file_fail(stream->message, TG_ERROR_MEMORY, stream->path, "%s", tg_status_text(TG_ERROR_MEMORY));
    file->bytes = bytes + 1;
    tg_status status = bytes ? tg_stream_bytes_at(stream, 0, file->text, bytes, "text") : TG_OK;
    file->text[bytes] = '\0';
    const char *zero = status == TG_OK ? memchr(file->text, 0, bytes) : NULL;
    if (zero)
        status = tg_stream_refuse_kind(stream, TG_FILE_TEXT, "text in UTF-8");
    return zero && status == TG_OK ? tg_file_fail(stream->message, TG_ERROR_FORMAT, stream->path,
                                                  "byte %lld: a zero byte in text", (long long)(zero - file->text))
                                   : status;
}

tg_status tg_text_file_read(tg_context *context, const char *path, tg_text_file *file, char *message)
{
    return tg_text_file_read_within(context, path, (tg_text_limit){MOST_BYTES, ""}, file, message);
}

tg_status tg_text_file_read_within(tg_context *context, const char *path, tg_text_limit limit, tg_text_file *file, char *message)
{
    tg_stream stream;
    *file = (tg_text_file){.context = context};
    tg_status status = tg_stream_open_raw(&stream, context, path, message);
    if (status == TG_OK)
        status = load(&stream, limit, file);
    tg_stream_close(&stream);
    if (status != TG_OK)
        tg_text_file_free(file);
    return status;
}

void tg_text_file_free(tg_text_file *file)
{
    tg_release(file->context, file->text, file->bytes);
    *file = (tg_text_file){.context = file->context};
}
