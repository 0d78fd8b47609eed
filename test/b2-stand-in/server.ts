import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type ApiContext, apiCalls, minimumPartBytes, recommendedPartBytes } from './api-calls.js'
import { ApiError, badRequest, expiredToken } from './api-error.js'
import type { ApplicationKeys, HeldKey } from './application-keys.js'
import type { Fault, Faults } from './faults.js'
import type { Body } from './listing.js'
import { type Download, downloadFile, readBody, uploadFile, uploadPart } from './transfers.js'

const uploadCalls = [
  'b2_get_upload_url',
  'b2_upload_file',
  'b2_start_large_file',
  'b2_get_upload_part_url',
  'b2_upload_part',
]
const keepAliveMs = 60_000

interface Asked {
  readonly call: string
  /** What follows the name of the call, or of `/file/`, in the path. */
  readonly rest: string
  readonly request: IncomingMessage
  readonly mode: string | undefined
}

/** The HTTP side: which call is meant, its faults, and answers as B2 words them. */
export function createB2Server(context: ApiContext, keys: ApplicationKeys, faults: Faults): Server {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // The client went away in the middle of its request.
      if (response.headersSent || response.destroyed || request.destroyed) response.destroy()
      else sendFailure(response, new ApiError(500, 'internal_error', String(error)))
    })
  })
  server.keepAliveTimeout = keepAliveMs
  return server

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = parse(request)
    const fault = faults.meet(asked.call)
    const { isAlone, end } = context.uploadTokens.arrive(request.headers.authorization)
    try {
      // Read to the end also where the answer is no: a client that is still sending would not see it.
      const body = await readBody(request)
      if (fault === 'stall') return
      if (fault === 'break') return void response.destroy()
      if (typeof fault === 'object') throw failureOf(fault)
      faults.checkTransactions(asked.call)
      if (asked.mode === 'force_cap_exceeded' && uploadCalls.includes(asked.call))
        throw new ApiError(
          403,
          'cap_exceeded',
          'Cannot upload or copy files, storage cap exceeded. See the Caps & Alerts page',
        )
      const answer = perform({ ...asked, isAlone }, body)
      if (fault === 'break-after') return void response.destroy()
      if (isDownload(answer)) sendDownload(request, response, answer, fault)
      else sendJson(response, 200, answer)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      sendFailure(response, error)
    } finally {
      end()
    }
  }

  function perform(asked: Asked & { readonly isAlone: boolean }, body: Buffer): object | Download {
    const { call, rest, request } = asked
    const token = request.headers.authorization
    switch (call) {
      case 'b2_authorize_account':
        return authorize(token, baseUrlOf(request))
      case 'b2_upload_file':
      case 'b2_upload_part':
        return upload(asked, token, body)
      case 'b2_download_file_by_name': {
        const file = downloadFile(context, accountKey(asked, token), rest, request.headers.range)
        faults.checkDownload(file.data.length)
        faults.downloadedBytes += file.data.length
        return file
      }
    }
    const perform = apiCalls[call]
    if (perform === undefined) throw badRequest(`unknown API call: ${call}`)
    const key = accountKey(asked, token)
    if (uploadCalls.includes(call)) faults.checkStorage(storedBytes())
    return perform({ ...context, baseUrl: baseUrlOf(request) }, key, parseJson(body))
  }

  function authorize(header: string | undefined, baseUrl: string): object {
    const { token, key } = keys.signIn(header)
    const buckets = key.buckets?.map((name) => ({ id: context.buckets.byName(name)?.bucketId ?? name, name }))
    return {
      accountId: '0123456789ab',
      applicationKeyExpirationTimestamp: null,
      authorizationToken: token,
      apiInfo: {
        storageApi: {
          absoluteMinimumPartSize: minimumPartBytes,
          allowed: { buckets: buckets ?? null, capabilities: key.capabilities, namePrefix: key.namePrefix ?? null },
          apiUrl: baseUrl,
          downloadUrl: baseUrl,
          infoType: 'storageApi',
          recommendedPartSize: recommendedPartBytes,
          s3ApiUrl: baseUrl,
        },
      },
    }
  }

  /** The address that the client knows, which may be a proxy's. */
  function baseUrlOf({ headers }: IncomingMessage): string {
    return headers.host === undefined ? context.baseUrl : `http://${headers.host}`
  }

  function accountKey({ mode }: Asked, token: string | undefined): HeldKey {
    const key = keys.keyOf(token)
    if (mode === 'expire_some_account_authorization_tokens' && token !== undefined && faults.expiresToken(token)) {
      keys.expire(token)
      throw expiredToken()
    }
    return key
  }

  function upload(asked: Asked & { readonly isAlone: boolean }, token: string | undefined, body: Buffer): object {
    const { call, rest, request, mode, isAlone } = asked
    const permit = context.uploadTokens.permit(token, rest.slice(rest.lastIndexOf('/') + 1), isAlone)
    if (mode === 'fail_some_uploads' && faults.failsUpload(`${request.headers['x-bz-file-name'] ?? ''}`))
      throw new ApiError(503, 'service_unavailable', 'The service is busy: get another upload URL')
    faults.checkStorage(storedBytes() + body.length)
    const store = call === 'b2_upload_file' ? uploadFile : uploadPart
    return store(context, permit, request.headers, body)
  }

  function storedBytes(): number {
    return context.buckets.all.reduce((sum, bucket) => sum + bucket.storedBytes, 0)
  }
}

function parse(request: IncomingMessage): Asked {
  const [path = ''] = (request.url ?? '').split('?')
  const mode = request.headers['x-bz-test-mode']
  const common = { request, mode: typeof mode === 'string' ? mode : undefined }
  const [, name] = /^\/file\/(.*)$/.exec(path) ?? []
  if (name !== undefined) return { ...common, call: 'b2_download_file_by_name', rest: name }
  const [, call = path, rest = ''] = /^\/b2api\/v4\/([a-z0-9_]+)(?:\/(.*))?$/.exec(path) ?? []
  return { ...common, call, rest }
}

function parseJson(body: Buffer): Body {
  try {
    return JSON.parse(body.toString()) as Body
  } catch {
    throw new ApiError(400, 'bad_json', 'The body is not JSON')
  }
}

function isDownload(answer: object): answer is Download {
  return 'data' in answer
}

function sendDownload(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, data }: Download,
  fault: Fault | undefined,
): void {
  response.writeHead(status, headers)
  if (request.method === 'HEAD') response.end()
  else if (fault === 'break-in-body') response.write(data.subarray(0, data.length >> 1), () => response.destroy())
  else response.end(data)
}

function failureOf({ status, code, message = 'as the test asked', retryAfter }: Exclude<Fault, string>): ApiError {
  return new ApiError(status, code, message, retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` })
}

function sendFailure(response: ServerResponse, { status, code, message, headers }: ApiError): void {
  sendJson(response, status, { status, code, message }, headers)
}

function sendJson(
  response: ServerResponse,
  status: number,
  answer: object,
  headers: Record<string, string> = {},
): void {
  const text = Buffer.from(JSON.stringify(answer))
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json;charset=utf-8',
    'content-length': text.length,
  })
  response.end(text)
}
