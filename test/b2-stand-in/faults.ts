import { ApiError } from './api-error.js'

export interface Failure {
  readonly status: number
  readonly code: string
  readonly message?: string
  /** Seconds. */
  readonly retryAfter?: number
}

/**
 * - `break`: the connection ends instead of an answer, and nothing is done.
 * - `break-after`: what was asked is done, and the connection ends before the answer.
 * - `break-in-body`: of a download, half arrives.
 * - `stall`: no answer, until the client gives up or the stand-in is closed.
 */
export type Fault = Failure | 'break' | 'break-after' | 'break-in-body' | 'stall'

export interface Caps {
  /** Bytes stored in all. */
  readonly storageBytes?: number
  /** Calls of classes B and C. */
  readonly transactions?: number
  /** Bytes downloaded. */
  readonly downloadBytes?: number
}

const classB = ['b2_download_file_by_id', 'b2_download_file_by_name', 'b2_get_file_info']
const classC = [
  'b2_authorize_account',
  'b2_list_buckets',
  'b2_list_file_names',
  'b2_list_file_versions',
  'b2_list_unfinished_large_files',
]

const usesInTestMode = 30

/** Faults that tests asked for, caps, the test modes of B2, and a count of all calls. */
export class Faults {
  readonly #planned: { call: string; fault: Fault; times: number }[] = []
  readonly #calls = new Map<string, number>()
  readonly #uses = new Map<string, number>()
  readonly #failedNames = new Set<string>()
  #uploads = 0
  caps: Caps = {}
  downloadedBytes = 0

  plan(call: string, fault: Fault, times: number): void {
    this.#planned.push({ call, fault, times })
  }

  /** Counts a call, and gives the fault that it shall meet. */
  meet(call: string): Fault | undefined {
    this.#calls.set(call, this.callsOf(call) + 1)
    const planned = this.#planned.find((one) => one.call === call && one.times > 0)
    if (planned === undefined) return undefined
    planned.times--
    return planned.fault
  }

  callsOf(call: string): number {
    return this.#calls.get(call) ?? 0
  }

  /** Calls by the class that they are billed in. */
  get spent(): { readonly A: number; readonly B: number; readonly C: number } {
    const spent = { A: 0, B: 0, C: 0 }
    for (const [call, times] of this.#calls)
      spent[classB.includes(call) ? 'B' : classC.includes(call) ? 'C' : 'A'] += times
    return spent
  }

  /** @throws ApiError 403 */
  checkTransactions(call: string): void {
    const { B, C } = this.spent
    const isBilled = classB.includes(call) || classC.includes(call)
    if (isBilled && call !== 'b2_authorize_account' && B + C > (this.caps.transactions ?? Infinity))
      throw new ApiError(403, 'transaction_cap_exceeded', 'Transaction Cap Exceeded')
  }

  /** @throws ApiError 403 */
  checkStorage(storedBytes: number): void {
    if (storedBytes > (this.caps.storageBytes ?? Infinity))
      throw new ApiError(403, 'storage_cap_exceeded', 'Cannot upload files, storage cap exceeded')
  }

  /** @throws ApiError 403 */
  checkDownload(sizeBytes: number): void {
    if (this.downloadedBytes + sizeBytes > (this.caps.downloadBytes ?? Infinity))
      throw new ApiError(403, 'download_cap_exceeded', 'Cannot download file, download bandwidth cap exceeded')
  }

  /** With `X-Bz-Test-Mode: fail_some_uploads`: every third, but never the same name twice in a row. */
  failsUpload(name: string): boolean {
    this.#uploads++
    if (this.#uploads % 3 !== 2 || this.#failedNames.delete(name)) return false
    this.#failedNames.add(name)
    return true
  }

  /** With `X-Bz-Test-Mode: expire_some_account_authorization_tokens`: a token lasts for thirty calls. */
  expiresToken(token: string): boolean {
    const uses = (this.#uses.get(token) ?? 0) + 1
    this.#uses.set(token, uses)
    return uses > usesInTestMode
  }
}
