import { createRequire } from 'node:module'

/** The calls of libc that Node does not offer. Paths are bytes that end with NUL. Results below 0 are failures. */
export interface Libc {
  llistxattr(path: Uint8Array, list: Uint8Array | null, size: number): number
  flistxattr(file: number, list: Uint8Array | null, size: number): number
  lgetxattr(path: Uint8Array, name: Uint8Array, value: Uint8Array | null, size: number): number
  lsetxattr(path: Uint8Array, name: Uint8Array, value: Uint8Array, size: number, flags: number): number
  lremovexattr(path: Uint8Array, name: Uint8Array): number
  utimensat(directory: number, path: Uint8Array, times: Uint8Array, flags: number): number
  mknod(path: Uint8Array, mode: number, device: bigint): number
  lseek(file: number, offset: number, whence: number): number
  syncfs(file: number): number
  futimens(file: number, times: Uint8Array): number
  renameat(fromDirectory: number, from: Uint8Array, toDirectory: number, to: Uint8Array): number
  /** For files of `openat`: Node warns when its own close is given a descriptor that it did not open. */
  close(file: number): number
  openat(directory: number, path: Uint8Array, flags: number, mode: number): number
  statx(directory: number, path: Uint8Array, flags: number, mask: number, stats: Uint8Array): number
  getdents64(directory: number, entries: Uint8Array, size: number): number
  /** Name of the last error, e.g. `ENODATA`. */
  lastError(): string
}

interface Koffi {
  load(path: string | null): { func(declaration: string): (...args: unknown[]) => unknown }
  errno(): number
  readonly os: { readonly errno: Readonly<Record<string, number>> }
}

/** libc through koffi; undefined where koffi is not installed, or the system has no such calls. */
export function loadLibc(): Libc | undefined {
  if (process.platform !== 'linux' || process.env.BKP_NO_KOFFI === '1') return undefined
  let koffi: Koffi
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi
  } catch {
    // Not installed: the portable lane says what it cannot keep.
    return undefined
  }
  const library = loadLibrary(koffi)
  return library === undefined ? undefined : bind(koffi, library)
}

function loadLibrary(koffi: Koffi): ReturnType<Koffi['load']> | undefined {
  for (const name of ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]) {
    try {
      return koffi.load(name)
    } catch {
      // Another C library; the next name is tried.
    }
  }
  return undefined
}

function bind(koffi: Koffi, library: ReturnType<Koffi['load']>): Libc {
  const names = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]))
  const call = (declaration: string) => {
    const native = library.func(declaration)
    return native as (...args: unknown[]) => number
  }
  return {
    llistxattr: call('int64_t llistxattr(const uint8_t *path, uint8_t *list, uint64_t size)'),
    flistxattr: call('int64_t flistxattr(int file, uint8_t *list, uint64_t size)'),
    lgetxattr: call('int64_t lgetxattr(const uint8_t *path, const uint8_t *name, uint8_t *value, uint64_t size)'),
    lsetxattr: call(
      'int lsetxattr(const uint8_t *path, const uint8_t *name, const uint8_t *value, uint64_t size, int flags)',
    ),
    lremovexattr: call('int lremovexattr(const uint8_t *path, const uint8_t *name)'),
    utimensat: call('int utimensat(int directory, const uint8_t *path, const uint8_t *times, int flags)'),
    mknod: call('int mknod(const uint8_t *path, uint32_t mode, uint64_t device)'),
    lseek: call('int64_t lseek(int file, int64_t offset, int whence)'),
    futimens: call('int futimens(int file, const uint8_t *times)'),
    renameat: call('int renameat(int fromDirectory, const uint8_t *from, int toDirectory, const uint8_t *to)'),
    close: call('int close(int file)'),
    openat: call('int openat(int directory, const uint8_t *path, int flags, uint32_t mode)'),
    statx: call('int statx(int directory, const uint8_t *path, int flags, uint32_t mask, uint8_t *stats)'),
    getdents64: call('int64_t getdents64(int directory, uint8_t *entries, uint64_t size)'),
    syncfs: call('int syncfs(int file)'),
    lastError: () => names.get(koffi.errno()) ?? `error ${koffi.errno()}`,
  }
}
