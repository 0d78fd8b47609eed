/** The little of WebAssembly that is used here; Node's types have it only together with the whole of the DOM. */
interface WebAssemblyApi {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => WebAssemblyMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: WebAssemblyMemory } },
  ) => { readonly exports: Readonly<Record<string, unknown>> }
}

export interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer
}

/**
 * The global object `WebAssembly`.
 * @throws Error where Node runs without it, e.g. with `--jitless`
 */
export function webAssembly(): WebAssemblyApi {
  const api = (globalThis as { readonly WebAssembly?: WebAssemblyApi }).WebAssembly
  if (api === undefined) throw new Error('This Node runs without WebAssembly')
  return api
}
