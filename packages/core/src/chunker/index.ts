export type { Chunker } from './chunker.js'
export { createChunker } from './create-chunker.js'
