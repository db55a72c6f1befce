/* Inside the library: an open file as a sign that a process is at work. The lock goes with the descriptor, however the process ends, and
   is seen from another container that has the file, where a process id says nothing. */
#ifndef TG_TRAIN_FILE_LOCK_H
#define TG_TRAIN_FILE_LOCK_H

typedef enum tg_file_lock {
    TG_LOCK_HELD,   /**< by this descriptor, until it and its copies are closed */
    TG_LOCK_TAKEN,  /**< by another, of this process or of any */
    TG_LOCK_UNKNOWN /**< the file system has no locks */
} tg_file_lock;

/** Tries to take the one lock that a file has, without waiting. */
tg_file_lock tg_lock_file(int descriptor);

/** Opens the file at `path`, made if it is missing, and tries to lock it. No link of that name is followed. The descriptor, or -1 with
    the reason in errno. The file stays: to remove it would part those who wait for it. */
int tg_lock_path(const char *path, tg_file_lock *lock);

#endif
