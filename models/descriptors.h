/* Standard input, output and error as a program found them. */
#ifndef MODELS_DESCRIPTORS_H
#define MODELS_DESCRIPTORS_H

/** To be called before any file is opened. A closed standard descriptor would become that file's, which then got the results or the
    complaints too; in its place is put one that cannot be read, or written, so that using it fails as it would have. */
void fill_standard_descriptors(void);

#endif
