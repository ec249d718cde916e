/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * What may fail, the value that says so and its errno. Not here: what cannot
 * fail on Linux (getpid, clock_gettime), what only clears up (free, close), and
 * pam_get_user, by which it is asked whose login this is.
 */
#define FAILING(X)                                                                                 \
	X(malloc, 0, ENOMEM)                                                                       \
	X(calloc, 0, ENOMEM)                                                                       \
	X(strdup, 0, ENOMEM)                                                                       \
	X(mmap, -1, ENOMEM)                                                                        \
	X(mlock, -1, ENOMEM)                                                                       \
	X(madvise, -1, EINVAL)                                                                     \
	X(open, -1, EMFILE)                                                                        \
	X(openat, -1, EMFILE)                                                                      \
	X(__openat_2, -1, ENFILE)                                                                  \
	X(memfd_create, -1, EMFILE)                                                                \
	X(socket, -1, EMFILE)                                                                      \
	X(socketpair, -1, EMFILE)                                                                  \
	X(fstat, -1, EIO)                                                                          \
	X(fstatat, -1, EIO)                                                                        \
	X(read, -1, EIO)                                                                           \
	X(pread, -1, EIO)                                                                          \
	X(write, -1, ENOSPC)                                                                       \
	X(pwrite, -1, ENOSPC)                                                                      \
	X(fsync, -1, EIO)                                                                          \
	X(ftruncate, -1, EIO)                                                                      \
	X(fchmod, -1, EPERM)                                                                       \
	X(fcntl, -1, EMFILE)                                                                       \
	X(flock, -1, ENOLCK)                                                                       \
	X(mkdir, -1, ENOSPC)                                                                       \
	X(mkdirat, -1, ENOSPC)                                                                     \
	X(rename, -1, ENOSPC)                                                                      \
	X(renameat, -1, ENOSPC)                                                                    \
	X(linkat, -1, ENOSPC)                                                                      \
	X(unlink, -1, EROFS)                                                                       \
	X(unlinkat, -1, EROFS)                                                                     \
	X(fdopendir, 0, ENOMEM)                                                                    \
	X(readdir, 0, EIO)                                                                         \
	X(getrandom, -1, ENOSYS)                                                                   \
	X(getrlimit, -1, EINVAL)                                                                   \
	X(sysconf, -1, EINVAL)                                                                     \
	X(syscall, -1, EAGAIN)                                                                     \
	X(poll, -1, ENOMEM)                                                                        \
	X(send, -1, EPIPE)                                                                         \
	X(sendmsg, -1, ENOBUFS)                                                                    \
	X(recv, -1, ECONNRESET)                                                                    \
	X(waitpid, -1, ECHILD)                                                                     \
	X(gmtime_r, 0, EOVERFLOW)                                                                  \
	X(pam_get_item, PAM_SYSTEM_ERR, 0)                                                         \
	X(pam_get_data, PAM_NO_MODULE_DATA, 0)                                                     \
	X(pam_set_data, PAM_BUF_ERR, 0)                                                            \
	X(OPENSSL_init_crypto, 0, 0)                                                               \
	X(OSSL_LIB_CTX_new, 0, 0)                                                                  \
	X(OSSL_PROVIDER_load, 0, 0)                                                                \
	X(EVP_MD_fetch, 0, 0)                                                                      \
	X(EVP_MD_CTX_new, 0, 0)                                                                    \
	X(EVP_Digest, 0, 0)                                                                        \
	X(EVP_DigestSignInit_ex, 0, 0)                                                             \
	X(EVP_DigestSign, 0, 0)                                                                    \
	X(EVP_DigestVerifyInit_ex, 0, 0)                                                           \
	X(EVP_DigestVerify, -1, 0)                                                                 \
	X(EVP_KDF_fetch, 0, 0)                                                                     \
	X(EVP_KDF_CTX_new, 0, 0)                                                                   \
	X(EVP_KDF_derive, -1, 0)                                                                   \
	X(EVP_PKEY_CTX_new_from_name, 0, 0)                                                        \
	X(EVP_PKEY_fromdata_init, -1, 0)                                                           \
	X(EVP_PKEY_fromdata, -1, 0)                                                                \
	X(EVP_PKEY_new_raw_private_key_ex, 0, 0)                                                   \
	X(EVP_PKEY_new_raw_public_key_ex, 0, 0)                                                    \
	X(EVP_PKEY_get_raw_public_key, 0, 0)                                                       \
	X(EVP_Q_mac, 0, 0)

/* Every argument fits a register or a stack slot of eight bytes on the 64-bit systems where Debian
   builds this; a call with fewer reads some slots of its caller's in vain. */
typedef long any_fn(long, long, long, long, long, long, long, long, long, long, long, long, long);

static unsigned int calls, target;
static const char *fired;

static bool is_hit(const char *name)
{
	calls++;
	if (calls != target)
		return false;
	fired = name;
	return true;
}

/* The one stat by which it is decided whose login this is: its failure means anyone else's. */
static bool is_the_one_stat(const char *name, long dir, long path)
{
	return strcmp(name, "fstatat") == 0 && (int)dir == AT_FDCWD &&
	       strncmp((const char *)(uintptr_t)path, "/etc/breakglass/accounts/", 25) == 0;
}

#define WRAPPER(name, value, number)                                                               \
	static any_fn *real_##name;                                                                \
	static long fault_##name(long a, long b, long c, long d, long e, long f, long g, long h,   \
		long i, long j, long k, long l, long m)                                            \
	{                                                                                          \
		if (!is_the_one_stat(#name, a, b) && is_hit(#name)) {                              \
			errno = number;                                                            \
			return value;                                                              \
		}                                                                                  \
		return real_##name(a, b, c, d, e, f, g, h, i, j, k, l, m);                         \
	}
FAILING(WRAPPER)

/* free(3) never fails, but what it is given may be watched. */
static any_fn *real_free;
static const char *watched;
static size_t watched_len;
static bool was_unwiped;

static long fault_free(long a, long b, long c, long d, long e, long f, long g, long h, long i,
	long j, long k, long l, long m)
{
	if (watched != NULL && (const char *)(uintptr_t)a == watched) {
		for (size_t n = 0; n < watched_len; n++)
			was_unwiped |= watched[n] != '\0';
		watched = NULL;
	}
	return real_free(a, b, c, d, e, f, g, h, i, j, k, l, m);
}

static const struct {
	const char *name;
	any_fn *wrapper, **real;
} table[] = { { "free", fault_free, &real_free },
#define ENTRY(name, value, number) { #name, fault_##name, &real_##name },
	FAILING(ENTRY) };

struct object {
	const char *end;
	int found;
};

static void turn(const struct dl_phdr_info *info, const ElfW(Rela) * rela,
	const ElfW(Sym) * symbols, const char *names, struct object *object)
{
	const char *name = names + symbols[ELF64_R_SYM(rela->r_info)].st_name;
	any_fn **slot = (any_fn **)(uintptr_t)(info->dlpi_addr + rela->r_offset);
	uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE), page = (uintptr_t)slot & ~(size - 1);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(name, table[i].name) != 0)
			continue;
		if (mprotect((void *)page, size, PROT_READ | PROT_WRITE) != 0)
			return;
		if (*slot != table[i].wrapper)
			*table[i].real = *slot;
		*slot = table[i].wrapper;
		object->found++;
	}
}

static void turn_all(const struct dl_phdr_info *info, const ElfW(Dyn) * dyn, struct object *object)
{
	const ElfW(Rela) * tables[2] = { NULL, NULL };
	const ElfW(Sym) *symbols = NULL;
	const char *names = NULL;
	size_t sizes[2] = { 0, 0 };

	for (; dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			symbols = (const ElfW(Sym) *)dyn->d_un.d_ptr;
		else if (dyn->d_tag == DT_STRTAB)
			names = (const char *)dyn->d_un.d_ptr;
		else if (dyn->d_tag == DT_RELA)
			tables[0] = (const ElfW(Rela) *)dyn->d_un.d_ptr;
		else if (dyn->d_tag == DT_RELASZ)
			sizes[0] = dyn->d_un.d_val;
		else if (dyn->d_tag == DT_JMPREL)
			tables[1] = (const ElfW(Rela) *)dyn->d_un.d_ptr;
		else if (dyn->d_tag == DT_PLTRELSZ)
			sizes[1] = dyn->d_un.d_val;
	}
	for (size_t t = 0; t < 2 && symbols != NULL && names != NULL; t++) {
		for (size_t i = 0; i < sizes[t] / sizeof(ElfW(Rela)); i++)
			turn(info, &tables[t][i], symbols, names, object);
	}
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct object *object = arg;
	size_t len = strlen(info->dlpi_name), end = strlen(object->end);

	(void)size;
	if (len < end || strcmp(info->dlpi_name + len - end, object->end) != 0)
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			turn_all(info,
				(const ElfW(Dyn) *)(uintptr_t)(info->dlpi_addr +
							       info->dlpi_phdr[i].p_vaddr),
				object);
	}
	return 1;
}

int fault_wrap(const char *end)
{
	struct object object = { .end = end };

	(void)dl_iterate_phdr(visit, &object);
	return object.found;
}

void fault_arm(unsigned int nth)
{
	calls = 0;
	target = nth;
	fired = NULL;
}

void fault_watch(const char *p, size_t len)
{
	watched = p;
	watched_len = len;
}

bool fault_was_unwiped(void)
{
	return was_unwiped;
}

unsigned int fault_calls(void)
{
	return calls;
}

const char *fault_fired(void)
{
	return fired;
}
