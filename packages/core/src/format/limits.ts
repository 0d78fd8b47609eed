/** Limits of the format, in bytes unless said otherwise (docs/format.md, section 12). */
export const maxPackBytes = 64 * 1024 * 1024
export const maxObjectBytes = 64 * 1024 * 1024
export const maxSmallObjectBytes = 64 * 1024
export const maxBlobBytes = 16 * 1024 * 1024
export const maxDirectoryDepth = 16_384
export const maxListDepth = 3
export const maxCompressionIds = 127
