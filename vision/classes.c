/* SPDX-License-Identifier: MIT */
/* classes.c -- a folder for each class, with a picture in each file: what is in them, and one shape for
 * all of it.
 *
 *   FOLDER/cat/1.png            classes alone: one picture in five is drawn for the test set
 *   FOLDER/train/cat/1.png      or both parts
 *   FOLDER/test/cat/7.png
 *
 * The name of a class is that of its folder, and its number the place of that name among all, sorted: by
 * value where all are numbers, else by bytes. So neither the order in which a system lists files nor its
 * locale changes a set.
 *
 * All pictures are read twice, one at a time: first to find out what they are (sizes, colours, and which
 * cannot be read), then into a block of the right size. So a folder costs the memory of what it becomes and
 * not of what it holds. Nothing is left out in silence: a file that is no picture is an error, and what
 * else lies about is counted in the set's note. */
#include "vision/images_internal.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/random.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SIDE = 32 /* where most pictures have a size of their own */, ONE_IN = 5 };

/* ---- listings ---- */

/* What is in a folder, sorted by name: folders, or files. */
typedef struct listing {
    char **name;
    int count, hidden; /* hidden: of any kind; see is_hidden() */
    int others;        /* files where folders were wanted, and folders where files were */
    char other[VISION_NAME];
} listing;

static void free_listing(listing *l)
{
    for (int i = 0; i < l->count; i++)
        base_free(l->name[i]);
    base_free(l->name);
    *l = (listing){0};
}

/* Links are followed, so a folder of links to classes works as well. */
static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool no_memory(const char *folder, base_error *error)
{
    return base_fail(error, "%s: no memory for its names", folder);
}

/* What systems put beside pictures, and mostly do not show. */
static bool is_hidden(const char *name)
{
    return name[0] == '.' || strcmp(name, "Thumbs.db") == 0 || strcmp(name, "desktop.ini") == 0 ||
           strcmp(name, "__MACOSX") == 0;
}

/* Puts one entry of a folder where it belongs. False: no memory. */
static bool put(listing *l, const char *folder, const char *name, bool folders)
{
    if (is_hidden(name)) {
        l->hidden += strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
        return true;
    }
    char *path = base_file_path(folder, name);
    bool wanted = path && is_folder(path) == folders;
    bool ok = path != NULL;
    base_free(path);
    if (ok && !wanted && l->others++ == 0)
        base_print(l->other, sizeof l->other, "%s", name);
    if (!ok || !wanted)
        return ok;
    if ((l->count & (l->count - 1)) == 0) { /* a power of two: double it */
        char **more = base_realloc(l->name, ((size_t)l->count * 2 + 1) * sizeof *more);
        if (!more)
            return false;
        l->name = more;
    }
    l->name[l->count] = base_copy(name, strlen(name));
    return l->name[l->count] && ++l->count;
}

/* What a system returns in the order of its file system comes back in the order of bytes. */
static bool list(listing *l, const char *folder, bool folders, base_error *error)
{
    *l = (listing){0};
    DIR *open = opendir(folder);
    bool ok = open || base_fail(error, "%s: cannot read the folder: %s", folder, strerror(errno));
    const struct dirent *entry;
    while (ok && (entry = readdir(open)) != NULL)
        ok = put(l, folder, entry->d_name, folders) || no_memory(folder, error);
    if (open)
        closedir(open);
    if (ok && l->count > 0)
        qsort(l->name, (size_t)l->count, sizeof *l->name, by_bytes);
    if (!ok)
        free_listing(l);
    return ok;
}

/* ---- a folder's pictures, before they are read ---- */

/* One file: where it is, which class its folder is, and whether it belongs to the test set. */
typedef struct picture {
    char *path;
    int label;
    bool test;
} picture;

/* A size that pictures have, and how many of the training's have it. */
typedef struct size {
    int height, width, count;
} size;

/* One folder on its way to a set: filled in step by step by the functions below, in their order. */
typedef struct reading {
    const char *folder;
    const vision_wanted *wanted;
    vision_set *set;
    base_error *error;
    listing classes;
    picture *pictures;
    int count, counts[2];        /* of all; to train, to test */
    int hidden, others, nothing; /* what is not read: see describe_folder() */
    bool drawn;                  /* the test set was */
    size *sizes;                 /* of the pictures to train with, and how often */
    int size_count;
    bool colours;
    int channels, height, width; /* of all, when they have been read */
    int refused, told;           /* told: how many of them are in reasons */
    char reasons[400];
} reading;

/* Nine digits fit in a long on every machine, so that by_value() can rely on strtol(). */
static bool all_numbers(const listing *l)
{
    for (int i = 0; i < l->count; i++) {
        size_t length = strlen(l->name[i]);
        if (length > 9 || strspn(l->name[i], "0123456789") != length)
            return false;
    }
    return true;
}

static int by_value(const void *a, const void *b)
{
    long x = strtol(*(char *const *)a, NULL, 10), y = strtol(*(char *const *)b, NULL, 10);
    return x != y ? (x > y) - (x < y) : by_bytes(a, b);
}

/* The folders of the part that is trained on are the classes. */
static bool name_classes(reading *r, const char *folder)
{
    listing *l = &r->classes;
    if (!list(l, folder, true, r->error))
        return false;
    r->hidden += l->hidden;
    r->others += l->others;
    if (l->count < 2 || l->count > VISION_MAX_CLASSES)
        return base_fail(r->error,
                         "%s: holds %d folder%s, expected one for each of 2 to %d classes", folder,
                         l->count, l->count == 1 ? "" : "s", (int)VISION_MAX_CLASSES);
    if (all_numbers(l))
        qsort(l->name, (size_t)l->count, sizeof *l->name, by_value);
    r->set->names = base_calloc((size_t)l->count, sizeof *r->set->names);
    if (!r->set->names)
        return no_memory(folder, r->error);
    for (int i = 0; i < l->count; i++) {
        if (!vision_is_name(l->name[i], strlen(l->name[i])))
            return base_fail(r->error,
                             "%s/%.100s: the name of a class has at most %d bytes and no control "
                             "characters",
                             folder, l->name[i], VISION_NAME - 1);
        strcpy(r->set->names[i], l->name[i]);
    }
    return true;
}

/* The list grows at each power of two, as it does in put(), so that the room need not be stored. */
static bool add_picture(reading *r, const char *folder, const char *name, int label, bool test)
{
    if ((r->count & (r->count - 1)) == 0) {
        picture *more = base_realloc(r->pictures, ((size_t)r->count * 2 + 1) * sizeof *more);
        if (!more)
            return no_memory(folder, r->error);
        r->pictures = more;
    }
    picture *p = &r->pictures[r->count];
    *p = (picture){base_file_path(folder, name), label, test};
    if (!p->path)
        return no_memory(folder, r->error);
    r->count++;
    r->counts[test]++;
    return true;
}

/* Of a class without a test set of its own, every fifth picture in an order that is the same everywhere: a function
 * of the class's number alone, not of the run's seed, so that all runs are measured on the same pictures. A class
 * gives at least one. first: the class's first picture in the list. */
static bool draw_test(reading *r, const char *folder, int first, int label)
{
    int count = r->count - first, tests = count / ONE_IN > 0 ? count / ONE_IN : 1;
    int *order = base_malloc(((size_t)count + 1) * sizeof *order);
    if (!order)
        return no_memory(folder, r->error);
    base_random random = {0, base_random_stream("classes", (uint64_t)label, 0, 0), 0};
    for (int i = 0; i < count; i++)
        order[i] = i;
    base_random_shuffle(&random, order, (size_t)count, sizeof *order);
    for (int i = 0; i < tests && count > 1; i++) {
        r->pictures[first + order[i]].test = true;
        r->counts[0]--;
        r->counts[1]++;
    }
    base_free(order);
    return count > 1 || base_fail(r->error,
                                  "%s: has 1 picture, expected at least 2: one to train with, one "
                                  "to test with",
                                  folder);
}

/* The pictures of one class in one part. A class may be missing in the test set, and not in the other; folders inside
 * of a class's are refused, since nobody could say what they mean. */
static bool list_class(reading *r, const char *part, int label, bool test, bool draw)
{
    listing files = {0};
    const char *class = r->classes.name[label];
    char *folder = base_file_path(part, class);
    int first = r->count;
    bool ok = folder ? is_folder(folder) || test : no_memory(part, r->error);
    if (ok && is_folder(folder)) {
        ok = list(&files, folder, false, r->error);
        if (ok && files.others > 0)
            ok = base_fail(r->error, "%s/%s: is a folder, expected pictures alone", folder,
                           files.other);
        for (int i = 0; ok && i < files.count; i++)
            ok = add_picture(r, folder, files.name[i], label, test);
        r->hidden += files.hidden;
        if (ok && files.count == 0 && !test)
            ok = base_fail(r->error, "%s: holds no pictures", folder);
        ok = ok && (!draw || draw_test(r, folder, first, label));
    }
    free_listing(&files);
    base_free(folder);
    return ok;
}

/* Classes that are met in the test set alone would never be answered. */
static bool check_test(reading *r, const char *part)
{
    listing l;
    if (!list(&l, part, true, r->error))
        return false;
    bool ok = true;
    r->hidden += l.hidden;
    r->others += l.others;
    for (int i = 0; ok && i < l.count; i++) {
        bool known = false;
        for (int j = 0; j < r->classes.count; j++)
            known = known || strcmp(l.name[i], r->classes.name[j]) == 0;
        if (!known)
            ok =
                base_fail(r->error, "%s/%s: there is no such class to train with", part, l.name[i]);
    }
    free_listing(&l);
    return ok;
}

/* Whether a folder's name is one of them, which are in small letters, written in letters of any size. */
static bool same_letters(const char *name, const char *small)
{
    size_t i = 0;
    while (small[i] && (name[i] == small[i] || name[i] == small[i] - 'a' + 'A'))
        i++;
    return !small[i] && !name[i];
}

/* The first of some folders that is among those of the set's, its name in letters of any size, and holds folders; NULL:
 * none. To be freed. */
static char *part_of(reading *r, const listing *all, const char *const *names, bool *ok)
{
    char *part = NULL;
    for (; *names; names++)
        for (int i = 0; *ok && !part && i < all->count; i++) {
            listing l = {0};
            if (!same_letters(all->name[i], *names))
                continue;
            part = base_file_path(r->folder, all->name[i]);
            *ok = (part || no_memory(r->folder, r->error)) && list(&l, part, true, r->error);
            if (*ok && l.count == 0) {
                base_free(part);
                part = NULL;
            }
            free_listing(&l);
        }
    return part;
}

/* Finds the parts, then the classes, then the files; nothing is opened yet. A test set counts only beside a folder to
 * train with: else `test` is the name of a class. */
static bool list_pictures(reading *r)
{
    static const char *const trains[] = {"train", "training", NULL};
    static const char *const tests[] = {"test", "testing", "val", "valid", "validation", NULL};
    listing all;
    bool ok = list(&all, r->folder, true, r->error);
    char *train = part_of(r, &all, trains, &ok),
         *test = train ? part_of(r, &all, tests, &ok) : NULL;
    const char *part = train ? train : r->folder;
    r->drawn = !test;
    ok = ok && name_classes(r, part) && (!test || check_test(r, test));
    for (int i = 0; ok && i < r->classes.count; i++)
        ok = list_class(r, part, i, false, !test) && (!test || list_class(r, test, i, true, false));
    if (ok && r->counts[1] == 0)
        ok = base_fail(r->error, "%s: holds no pictures", test ? test : part);
    if (ok && train) { /* a third part, and whatever else lies there */
        r->nothing = all.count - 1 - (test != NULL);
        r->others += all.others;
        r->hidden += all.hidden;
    }
    free_listing(&all);
    base_free(train);
    base_free(test);
    return ok;
}

/* ---- the first reading ---- */

/* Keeps as many messages as the buffer holds and counts the rest: a folder with a thousand broken files is told of in
 * one line. */
static void refuse(reading *r, const char *why)
{
    size_t used = strlen(r->reasons);
    if (r->refused++ == r->told && used + strlen(why) + 3 < sizeof r->reasons) {
        base_print(r->reasons + used, sizeof r->reasons - used, "%s%s", used ? "; " : "", why);
        r->told++;
    }
}

static bool refuse_all(const reading *r)
{
    char more[40] = "";
    if (r->refused > r->told)
        base_print(more, sizeof more, "%s and %d more", r->told ? ";" : "", r->refused - r->told);
    return base_fail(r->error, "%d of %d files cannot be taken: %s%s", r->refused, r->count,
                     r->reasons, more);
}

/* Counts the size among those of the pictures to train with. */
static bool note_size(reading *r, const vision_images *image, bool test)
{
    int i = 0;
    while (i < r->size_count &&
           (r->sizes[i].height != image->height || r->sizes[i].width != image->width))
        i++;
    if (i == r->size_count) {
        size *more = base_realloc(r->sizes, ((size_t)i + 1) * sizeof *more);
        if (!more)
            return no_memory(r->folder, r->error);
        r->sizes = more;
        r->sizes[r->size_count++] = (size){image->height, image->width, 0};
    }
    r->sizes[i].count += !test;
    return true;
}

static bool read_one(const picture *p, vision_images *image, base_error *error)
{
    vision_bytes bytes = {0};
    struct stat about; /* a pipe would be waited for */
    if (stat(p->path, &about) == 0 && !S_ISREG(about.st_mode))
        return base_fail(error, "%s: is no regular file", p->path);
    return vision_read_bytes(p->path, VISION_OF_PICTURES, &bytes, error) &&
           vision_take_picture(image, bytes, error);
}

/* Every file is tried before the first error is reported, so that all of them can be mended at once. */
static bool look_at_all(reading *r)
{
    for (int i = 0; i < r->count; i++) {
        vision_images image;
        base_error why;
        if (!read_one(&r->pictures[i], &image, &why)) {
            refuse(r, why.text);
            continue;
        }
        r->colours = r->colours || !vision_is_grey(&image);
        bool ok = note_size(r, &image, r->pictures[i].test);
        vision_images_free(&image);
        if (!ok)
            return false;
    }
    return r->refused == 0 || refuse_all(r);
}

/* The size that is asked for; or the one that at least half of the pictures to train with have, of equals the first;
 * or SIDE x SIDE. Colours, if any picture of all has some, unless another number of channels is asked for. */
static void choose_shape(reading *r)
{
    const size *most = r->sizes;
    for (int i = 1; i < r->size_count; i++)
        if (r->sizes[i].count > most->count)
            most = &r->sizes[i];
    bool half = 2 * (int64_t)most->count >= r->counts[0];
    const vision_wanted *w = r->wanted;
    r->channels = w->channels ? w->channels : r->colours ? 3 : 1;
    r->height = w->height ? w->height : half ? most->height : SIDE;
    r->width = w->width ? w->width : half ? most->width : SIDE;
}

/* ---- the second ---- */

/* One block for the pixels of a part, (count, channels, height, width), and one for its labels. */
static bool make_room(reading *r, vision_images *images, int count)
{
    size_t image = (size_t)r->channels * (size_t)r->height * (size_t)r->width;
    if ((size_t)count > VISION_MAX_BYTES / image)
        return base_fail(r->error,
                         "%s: %d pictures of %dx%dx%d take more than the %zu bytes expected "
                         "at most",
                         r->folder, count, r->channels, r->height, r->width, VISION_MAX_BYTES);
    *images = (vision_images){.channels = r->channels,
                              .height = r->height,
                              .width = r->width,
                              .classes = r->classes.count,
                              .pixels = base_malloc((size_t)count * image),
                              .labels = base_malloc((size_t)count)};
    return (images->pixels && images->labels) || no_memory(r->folder, r->error);
}

/* A file that has changed since the first reading, so that it cannot be read any more, is an error here. */
static bool read_all(reading *r)
{
    vision_images *parts[] = {&r->set->train, &r->set->test};
    size_t image_size = (size_t)r->channels * (size_t)r->height * (size_t)r->width;
    if (!make_room(r, parts[0], r->counts[0]) || !make_room(r, parts[1], r->counts[1]))
        return false;
    for (int i = 0; i < r->count; i++) {
        const picture *p = &r->pictures[i];
        vision_images *to = parts[p->test], image;
        if (!read_one(p, &image, r->error))
            return false;
        vision_fit(&image, r->channels, r->height, r->width,
                   to->pixels + (size_t)to->count * image_size);
        vision_images_free(&image);
        to->labels[to->count++] = (unsigned char)p->label;
    }
    return true;
}

/* What a reader of the folder should know; each is said once. */
static void describe_folder(const reading *r)
{
    base_text text = {0};
    bool scaled = false;
    for (int i = 0; i < r->size_count; i++)
        scaled = scaled || r->sizes[i].height != r->height || r->sizes[i].width != r->width;
    base_text_print(&text, "%s: %d classes, %d pictures to train with, %d to test with%s",
                    r->folder, r->classes.count, r->counts[0], r->counts[1],
                    r->drawn ? " (one in five of each class)" : "");
    if (scaled)
        base_text_print(&text, "; they have %d size%s, and are scaled to %dx%d%s", r->size_count,
                        r->size_count == 1 ? "" : "s", r->width, r->height,
                        r->wanted->height ? "" : " (--size: to another)");
    if (r->channels == 1 && r->colours)
        base_text_print(&text, "; colours are made grey");
    if (r->nothing + r->others + r->hidden > 0)
        base_text_print(&text,
                        "; not read: %d other folder%s, %d file%s beside the classes' folders, "
                        "%d hidden name%s",
                        r->nothing, r->nothing == 1 ? "" : "s", r->others,
                        r->others == 1 ? "" : "s", r->hidden, r->hidden == 1 ? "" : "s");
    base_text_print(&text, "\n");
    if (!text.failed)
        base_print(r->set->note, sizeof r->set->note, "%s", text.data);
    base_text_free(&text);
}

/* Any folder that holds folders may be one of pictures; what is in them decides later, and with a message. */
bool vision_holds_classes(const char *folder)
{
    listing l;
    if (!list(&l, folder, true, NULL))
        return false;
    bool holds = l.count > 0;
    free_listing(&l);
    return holds;
}

/* On failure the set may have names and pixels: its owner frees it either way. */
bool vision_read_classes(vision_set *set, const char *folder, const vision_wanted *wanted,
                         base_error *error)
{
    reading r = {.folder = folder, .wanted = wanted, .set = set, .error = error};
    set->pictures = true;
    bool ok = list_pictures(&r) && look_at_all(&r);
    if (ok) {
        choose_shape(&r);
        ok = read_all(&r);
    }
    if (ok)
        describe_folder(&r);
    for (int i = 0; i < r.count; i++)
        base_free(r.pictures[i].path);
    base_free(r.pictures);
    base_free(r.sizes);
    free_listing(&r.classes);
    return ok;
}
