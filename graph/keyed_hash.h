/* Inside the library: hashes of names that may come from outside. Whoever does not know the key cannot choose names of one hash, with
   which a table takes a time that grows with their number's square. Nothing but such times depends on a key. */
#ifndef TG_GRAPH_KEYED_HASH_H
#define TG_GRAPH_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

/** SipHash-2-4 (Aumasson and Bernstein, 2012) of `bytes` bytes; the words of the key and of the data are little-endian. */
uint64_t tg_keyed_hash(const uint64_t key[2], const void *data, size_t bytes);

/** 64 bits that nobody outside of the process can foresee: the system's, or, should it have none, the clock's. */
uint64_t tg_unforeseen_bits(void);

#endif
