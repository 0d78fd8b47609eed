import { type ClientRequest, request as requestByHttp } from 'node:http'
import { request as requestByHttps } from 'node:https'
import { getPatcher, type RequestOptions } from 'webdav'
import { type Answer, answerOf } from './answer.js'

/** From this size on, a server is asked before the body is sent: it may refuse, e.g. for a stale nonce or a limit. */
const askFirstBytes = 1_048_576
/** A server that does not know `Expect` says nothing; RFC 9110 (10.1.1) forbids to wait for ever. */
const askFirstMs = 1000
/** What is read of the body of a refusal before the connection is given up. */
const refusalBytes = 65_536

/**
 * One HTTP exchange. Takes the place of the fetch inside of the webdav library, which follows redirects unasked,
 * cannot ask before it sends, and hides refusals that come while a body is on its way.
 * @throws the signal's reason, or the system's error
 */
export async function send(options: RequestOptions): Promise<Answer> {
  const { data } = options
  if (!(data instanceof Uint8Array)) return exchange(options, undefined, 'at-once')
  const body = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const answer = await exchange(options, body, body.length >= askFirstBytes ? 'ask-first' : 'at-once')
  // Expectation Failed: a server, or a proxy, that wants not to be asked.
  return answer.status === 417 ? exchange(options, body, 'at-once') : answer
}

function exchange(options: RequestOptions, body: Buffer | undefined, way: 'at-once' | 'ask-first'): Promise<Answer> {
  const { url, signal } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const request = start(options, way)
    const abort = () => {
      request.destroy()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort)
    request.once('close', () => signal?.removeEventListener('abort', abort))
    request.on('error', (error) => reject(signal?.aborted ? signal.reason : error))
    const sendBody = sendOnce(request, body)
    const waiting = way === 'ask-first' ? setTimeout(sendBody, askFirstMs) : undefined
    request.once('close', () => clearTimeout(waiting))
    request.once('continue', sendBody)
    request.once('response', (message) => {
      clearTimeout(waiting)
      // Whoever reads the body listens, too; an error in between is found there.
      message.on('error', () => undefined)
      const isSent = request.writableFinished
      // The server may still expect the body that it refused: nothing else can be said on this connection.
      if (!isSent) message.once('close', () => request.destroy())
      const answer = answerOf(message, url)
      if (answer.status < 400) return resolve(answer)
      let sizeBytes = 0
      message.on('data', (piece: Uint8Array) => {
        sizeBytes += piece.length
        if (sizeBytes > refusalBytes) request.destroy()
      })
      message.once('close', () => (signal?.aborted ? reject(signal.reason) : resolve(answer)))
    })
    if (way === 'ask-first') request.flushHeaders()
    else sendBody()
  })
}

function start(options: RequestOptions, way: 'at-once' | 'ask-first'): ClientRequest {
  const { url, method, httpAgent, httpsAgent } = options
  const isEncrypted = url.startsWith('https:')
  const headers = { ...options.headers, ...(way === 'ask-first' ? { Expect: '100-continue' } : {}) }
  const agent: unknown = isEncrypted ? httpsAgent : httpAgent
  const options_ = { method, headers, agent } as Parameters<typeof requestByHttp>[1] & object
  return isEncrypted ? requestByHttps(url, options_) : requestByHttp(url, options_)
}

function sendOnce(request: ClientRequest, body: Buffer | undefined): () => void {
  let isBegun = false
  return () => {
    if (isBegun || request.destroyed) return
    isBegun = true
    request.end(body)
  }
}

getPatcher().patch('request', (options) => send(options as RequestOptions))
