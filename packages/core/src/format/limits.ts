/** Limits of the format, in bytes unless said otherwise (docs/format.md, section 12). */
export const maxPackBytes = 64 * 1024 * 1024
export const maxObjectBytes = 64 * 1024 * 1024
export const maxSmallObjectBytes = 64 * 1024
export const maxBlobBytes = 16 * 1024 * 1024
export const maxDirectoryDepth = 16_384
export const maxListDepth = 3
export const maxCompressionIds = 127
export const maxNameBytes = 65_535
/** How much longer than the largest blob a sealed blob may be: a cipher's overhead. */
export const maxSealedGrowthBytes = 4096
/** Argon2id, as a storage may ask for it. */
export const maxArgon2MemoryKiB = 4_194_304
export const maxArgon2Passes = 64
export const maxArgon2Lanes = 16
