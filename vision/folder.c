/* SPDX-License-Identifier: MIT */
/* folder.c -- which files of a folder are a set of images.
 *
 * A published set is a handful of files with fixed names, and each name has a role: pictures or
 * labels, to train or to test. The folder is listed once and its names are matched with the roles
 * (role_of):
 *
 *     emnist-letters-train-images-idx3-ubyte.gz   TRAIN_IMAGES of the set "emnist-letters-"
 *     t10k-labels.idx1-ubyte                      TEST_LABELS of a set without a name
 *     data_batch_3.bin                            TRAIN_BATCH + 2
 *
 * A packed file beside what was unpacked from it ("x.gz" and "x") has no role of its own. Other
 * files for one role, files of several sets ("mnist-..." and "emnist-..."), and a role without a
 * file are errors that name what was found. So a set is never put together of files that do not
 * belong together.
 */
#include "vision/images_internal.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* IDX files first: the labels' role follows that of their images. Then CIFAR's, of which there may
 * be many to train with: roles TRAIN_BATCH to TRAIN_BATCH + BATCHES - 1. */
enum { TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, TEST_BATCH, TRAIN_BATCH };

enum { BATCHES = 99, ROLES = TRAIN_BATCH + BATCHES, SHAPE_BYTES = 100 };

/* The name that a missing file should have had, for messages. */
static const char *const role_names[] = {
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte or test-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte or test-labels-idx1-ubyte",
    "test_batch.bin",
    "data_batch_1.bin",
};

/* The ends of IDX files' names; before them may stand the set's own name ("emnist-byclass-"). The
 * dash before "idx" may be a dot. */
static const struct {
    const char *end;
    int role;
} idx_names[] = {
    {"train-images-idx3-ubyte", TRAIN_IMAGES}, {"train-images-idx4-ubyte", TRAIN_IMAGES},
    {"train-labels-idx1-ubyte", TRAIN_LABELS}, {"test-images-idx3-ubyte", TEST_IMAGES},
    {"test-images-idx4-ubyte", TEST_IMAGES},   {"test-labels-idx1-ubyte", TEST_LABELS},
    {"t10k-images-idx3-ubyte", TEST_IMAGES},   {"t10k-images-idx4-ubyte", TEST_IMAGES},
    {"t10k-labels-idx1-ubyte", TEST_LABELS},
};

/* The length of a name without .gz: packed or not, a file has the same role. */
static size_t stem(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".gz") == 0 ? length - 3 : length;
}

/* Whether a name of that length ends so, or with a dot in the place of the dash before "idx". */
static bool ends_with(const char *name, size_t length, const char *end)
{
    size_t last = strlen(end), dash = last - strlen("-idx3-ubyte");
    if (length < last)
        return false;
    const char *at = name + length - last;
    return memcmp(at, end, dash) == 0 && (at[dash] == '-' || at[dash] == '.') &&
           memcmp(at + dash + 1, end + dash + 1, last - dash - 1) == 0;
}

/* The N of data_batch_N.bin, 1 to 99 without leading zeros; 0: the name is another. */
static int batch_number(const char *name, size_t length)
{
    static const char begin[] = "data_batch_", end[] = ".bin";
    size_t first = sizeof begin - 1, last = sizeof end - 1;
    if (length < first + 1 + last || length > first + 2 + last || memcmp(name, begin, first) != 0 ||
        memcmp(name + length - last, end, last) != 0)
        return 0;
    int number = 0;
    for (const char *c = name + first; c < name + length - last; c++) {
        if (*c < '0' || *c > '9' || (number == 0 && *c == '0'))
            return 0;
        number = 10 * number + *c - '0';
    }
    return number;
}

/* The role of a file's name, or -1. *prefix: the length of the set's own name in front of an IDX
 * file's ("emnist-byclass-"). */
static int role_of(const char *name, size_t *prefix)
{
    size_t length = stem(name);
    *prefix = 0;
    for (size_t i = 0; i < sizeof idx_names / sizeof *idx_names; i++) {
        if (ends_with(name, length, idx_names[i].end)) {
            *prefix = length - strlen(idx_names[i].end);
            return idx_names[i].role;
        }
    }
    if (length == strlen("test_batch.bin") && memcmp(name, "test_batch.bin", length) == 0)
        return TEST_BATCH;
    int number = batch_number(name, length);
    return number > 0 ? TRAIN_BATCH + number - 1 : -1;
}

/* The files of a folder that have a role, sorted by name, so that an error does not depend on the
 * order in which the system lists them. */
typedef struct listing {
    const char *folder;
    const vision_wanted *wanted;
    struct dirent **entries;
    int count;
    const char *name[ROLES]; /* the file that has the role, or NULL */
} listing;

/* For scandir: which entries to keep. */
static int has_role(const struct dirent *entry)
{
    size_t prefix;
    return role_of(entry->d_name, &prefix) >= 0;
}

static bool two_sets(const listing *l, const char *a, const char *b, base_error *error)
{
    return base_fail(error, "%s: holds both %s and %s, expected the files of one set", l->folder, a,
                     b);
}

/* Leaves those of one set among IDX files: "letters" is "letters-" or "emnist-letters-". */
static void keep_split(listing *l, const char *split)
{
    int kept = 0;
    size_t length = strlen(split), prefix;
    for (int i = 0; i < l->count; i++) {
        const char *name = l->entries[i]->d_name;
        bool is_idx = role_of(name, &prefix) < TEST_BATCH;
        const char *at = name + prefix - (prefix > 0);
        if (is_idx && prefix > length && memcmp(at - length, split, length) == 0 &&
            (prefix == length + 1 || at[-1 - (ptrdiff_t)length] == '-'))
            l->entries[kept++] = l->entries[i];
        else
            free(l->entries[i]); /* scandir's */
    }
    l->count = kept;
}

/* Names all sets of a folder by what stands before their files' roles. Names are sorted, so those of
 * one set follow each other. */
static bool several_sets(const listing *l, base_error *error)
{
    char names[300] = "";
    const char *last = NULL;
    size_t used = 0, last_prefix = 0, prefix;
    for (int i = 0; i < l->count; i++) {
        const char *name = l->entries[i]->d_name;
        bool is_idx = role_of(name, &prefix) < TEST_BATCH;
        if (is_idx && !(last && prefix == last_prefix && memcmp(last, name, prefix) == 0)) {
            int shown = (int)prefix - (prefix > 0 && name[prefix - 1] == '-');
            int wrote = snprintf(names + used, sizeof names - used, "%s%.*s", last ? ", " : "",
                                 prefix > 0 ? shown : 4, prefix > 0 ? name : "none");
            used += used + (size_t)wrote < sizeof names ? (size_t)wrote : 0;
            last = name;
            last_prefix = prefix;
        }
    }
    return base_fail(error,
                     "%s: holds the files of several sets, whose names begin with %s: expected "
                     "those of one (--split NAME chooses it)",
                     l->folder, names);
}

/* A packed file, and the plain one of its name is there. Names are sorted: that comes first. */
static bool is_unpacked(const char *plain, const char *name)
{
    size_t length = strlen(plain);
    return stem(name) == length && memcmp(plain, name, length) == 0;
}

static bool is_folder(const char *path)
{
    struct stat about;
    return path && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Kaggle's archive has each file twice, once in a folder of its own: whether the name is such a folder. */
static bool is_doubled(const listing *l, const char *name)
{
    char *path = base_file_path(l->folder, name);
    bool folder = is_folder(path);
    base_free(path);
    return folder;
}

/* Fills l->name. IDX files must have the same prefix, and none of CIFAR's may be beside them. */
static bool give_roles(listing *l, base_error *error)
{
    const char *first = NULL; /* of the IDX files */
    size_t first_prefix = 0;
    for (int i = 0; i < l->count; i++) {
        const char *name = l->entries[i]->d_name;
        size_t prefix;
        int role = role_of(name, &prefix);
        if (role < TEST_BATCH) {
            if (first && (prefix != first_prefix || memcmp(name, first, prefix) != 0))
                return several_sets(l, error);
            first = name;
            first_prefix = prefix;
        }
        if (!l->name[role] || is_doubled(l, l->name[role]))
            l->name[role] = name;
        else if (!is_unpacked(l->name[role], name) && !is_doubled(l, name))
            return two_sets(l, l->name[role], name, error);
    }
    for (int role = TEST_BATCH; role < ROLES; role++)
        if (first && l->name[role])
            return two_sets(l, first, l->name[role], error);
    return true;
}

/* The folder holds a set's file (the first), but none for this role. */
static bool missing(const listing *l, int role, base_error *error)
{
    return base_fail(error, "%s: has %s, but no %s (or with .gz)", l->folder, l->entries[0]->d_name,
                     role_names[role]);
}

/* The path of a role's file. Some archives have it in a folder of its own name. To be freed; NULL: no
 * memory. */
static char *path_of(const listing *l, int role)
{
    char *path = base_file_path(l->folder, l->name[role]);
    if (is_folder(path)) {
        char *inside = base_file_path(path, l->name[role]);
        base_free(path);
        return inside;
    }
    return path;
}

/* The pair of files of a role and the one after it. */
static bool read_idx_part(vision_images *images, const listing *l, int role, base_error *error)
{
    char *pixels = path_of(l, role);
    char *labels = path_of(l, role + 1);
    bool good = pixels && labels;
    if (!good)
        base_fail(error, "%s: no memory for a name", l->folder);
    good = good && vision_read_idx(images, pixels, labels, l->wanted->classes, error);
    if (good && l->wanted->transposed && !vision_images_transpose(images))
        good = base_fail(error, "%s: no memory to turn its images", pixels);
    base_free(pixels);
    base_free(labels);
    return good;
}

/* All four files. */
static bool read_idx(vision_set *set, const listing *l, base_error *error)
{
    for (int role = TRAIN_IMAGES; role <= TEST_LABELS; role++)
        if (!l->name[role])
            return missing(l, role, error);
    return read_idx_part(&set->train, l, TRAIN_IMAGES, error) &&
           read_idx_part(&set->test, l, TEST_IMAGES, error);
}

/* shape = channels height width, in decimal, and nothing else but white space */
static bool parse_shape(const char *text, size_t size, int shape[3])
{
    static const int most[3] = {VISION_MAX_CHANNELS, VISION_MAX_SIDE, VISION_MAX_SIDE};
    const char *at = text;
    for (int i = 0; i < 3; i++) {
        char *end;
        long value = strtol(at, &end, 10);
        if (end == at || value < 1 || value > most[i])
            return false;
        shape[i] = (int)value;
        at = end;
    }
    return at + strspn(at, " \t\r\n") == text + size;
}

/* shape.txt, or without that file CIFAR-10's shape. */
static bool read_shape(const char *path, int shape[3], base_error *error)
{
    shape[0] = 3, shape[1] = 32, shape[2] = 32;
    if (!base_file_exists(path))
        return true;
    size_t size;
    char *text = base_file_read_text(path, SHAPE_BYTES, &size, error);
    bool good = text && parse_shape(text, size, shape);
    if (text && !good)
        base_fail(error,
                  "%s: expected three numbers: channels (1 to %d), height and width (1 to %d)",
                  path, VISION_MAX_CHANNELS, VISION_MAX_SIDE);
    base_free(text);
    return good;
}

/* All records of the files with roles first .. last, in order of the roles. */
static bool read_batches(vision_images *images, const listing *l, int first, int last,
                         const int shape[3], base_error *error)
{
    char *paths[BATCHES] = {0};
    int count = 0;
    bool good = true;
    for (int role = first; role <= last; role++)
        if (l->name[role]) {
            paths[count] = path_of(l, role);
            if (!paths[count++])
                good = base_fail(error, "%s: no memory for a name", l->folder);
        }
    good = good && vision_read_cifar(images, (const char *const *)paths, count, shape,
                                     l->wanted->classes, error);
    for (int i = 0; i < count; i++)
        base_free(paths[i]);
    return good;
}

/* At least one batch to train with and the one to test with. */
static bool read_cifar(vision_set *set, const listing *l, base_error *error)
{
    if (!l->name[TEST_BATCH])
        return missing(l, TEST_BATCH, error);
    bool any = false;
    for (int i = TRAIN_BATCH; i < ROLES; i++)
        any = any || l->name[i];
    if (!any)
        return missing(l, TRAIN_BATCH, error);
    int shape[3];
    char *path = base_file_path(l->folder, "shape.txt");
    bool good = path ? read_shape(path, shape, error)
                     : base_fail(error, "%s: no memory for a name", l->folder);
    base_free(path);
    return good && read_batches(&set->train, l, TRAIN_BATCH, ROLES - 1, shape, error) &&
           read_batches(&set->test, l, TEST_BATCH, TEST_BATCH, shape, error);
}

/* Sorted by role, IDX or CIFAR: any file says which of the two the folder holds, since give_roles
 * refuses both at once. */
static bool read_set(vision_set *set, listing *l, base_error *error)
{
    size_t prefix;
    const char *split = l->wanted->split;
    if (split && l->count > 0)
        keep_split(l, split);
    if (split && l->count == 0)
        return base_fail(error,
                         "%s: holds no set called %s: expected files as "
                         "emnist-%s-train-images-idx3-ubyte",
                         l->folder, split, split);
    if (l->count == 0)
        return base_fail(error,
                         "%s: holds no set of images: expected files named as MNIST's "
                         "(train-images-idx3-ubyte, ...) or CIFAR-10's (data_batch_1.bin, ...), or "
                         "a folder of PNG, PGM or PPM files for each class",
                         l->folder);
    if (!give_roles(l, error))
        return false;
    if (role_of(l->entries[0]->d_name, &prefix) < TEST_BATCH)
        return read_idx(set, l, error) && vision_join(set, l->folder, error);
    return read_cifar(set, l, error) && vision_join(set, l->folder, error);
}

/* The one folder of a set that is made inside of the one that the user chose. NULL: there is none,
 * or there are several, and error says which. To be freed. */
static char *find_inside(const char *folder, bool *several, base_error *error)
{
    static const char *const places[] = {"raw",        "MNIST/raw",  "FashionMNIST/raw",
                                         "KMNIST/raw", "EMNIST/raw", "cifar-10-batches-bin",
                                         "gzip"};
    char *found = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places && !*several; i++) {
        char *place = base_file_path(folder, places[i]);
        if (place && base_file_exists(place) && found) {
            base_fail(error, "%s: holds several sets, as %s and %s: expected the folder of one",
                      folder, found, place);
            *several = true;
        } else if (place && base_file_exists(place)) {
            found = place;
            continue;
        }
        base_free(place);
    }
    if (!*several)
        return found;
    base_free(found);
    return NULL;
}

static void free_entries(listing *l)
{
    for (int i = 0; i < l->count; i++)
        free(l->entries[i]); /* scandir's */
    free(l->entries);
    l->entries = NULL;
}

/* Lists a folder, or where that has no file with a role the one inside of it. *inside: the latter's
 * name, to be freed. */
static bool list(listing *l, char **inside, base_error *error)
{
    bool several = false;
    l->count = scandir(l->folder, &l->entries, has_role, base_file_by_name);
    if (l->count == 0 && (*inside = find_inside(l->folder, &several, error)) != NULL) {
        free_entries(l);
        l->folder = *inside;
        l->count = scandir(l->folder, &l->entries, has_role, base_file_by_name);
    }
    if (l->count < 0)
        return base_fail(error, "%s: cannot read the folder: %s", l->folder, strerror(errno));
    return !several;
}

/* What people take for the set, as its name is so near. */
static bool is_for_python(const char *folder)
{
    char *path = base_file_path(folder, "cifar-10-batches-py");
    bool there = path && base_file_exists(path);
    base_free(path);
    return there;
}

/* What the folder holds decides: files with roles, in it or in the one folder of a set inside of it; else a folder for
 * each class; else the error names what would have been taken. */
bool vision_read_folder(vision_set *set, const char *folder, const vision_wanted *wanted,
                        base_error *error)
{
    listing l = {.folder = folder, .wanted = wanted};
    char *inside = NULL;
    *set = (vision_set){.names = NULL};
    bool good = list(&l, &inside, error);
    if (good && l.count == 0 && is_for_python(folder))
        good = base_fail(error,
                         "%s: cifar-10-batches-py holds pickles of Python: expected the binary "
                         "version, cifar-10-batches-bin",
                         folder);
    else if (good && l.count == 0 && !wanted->split && vision_holds_classes(folder))
        good = vision_read_classes(set, folder, wanted, error);
    else
        good = good && read_set(set, &l, error);
    free_entries(&l);
    base_free(inside);
    if (!good)
        vision_set_free(set);
    return good;
}
