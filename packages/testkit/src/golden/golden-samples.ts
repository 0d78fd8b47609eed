import { randomLikeBytes, textLikeBytes } from '../support/samples.js'
import { base64Of, type GoldenBytes } from './golden-file.js'

/** Content that golden vectors are made of. The file holds the bytes themselves: these may change, what is written stays. */
export const goldenSamples: readonly { readonly name: string; readonly plain: GoldenBytes }[] = [
  { name: 'nothing', plain: { base64: '' } },
  { name: 'one byte', plain: { base64: 'Yg==' } },
  { name: 'text', plain: { base64: base64Of(textLikeBytes(2000, 3)) } },
  { name: 'bytes that do not shrink', plain: { base64: base64Of(randomLikeBytes(500, 5)) } },
  { name: 'a chunk of zeros', plain: { base64: base64Of(new Uint8Array(4096)), times: 256 } },
  { name: 'text that repeats from afar', plain: { base64: base64Of(textLikeBytes(3000, 7)), times: 100 } },
]
