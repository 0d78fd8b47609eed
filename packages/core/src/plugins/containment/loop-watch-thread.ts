import type { Debugger, InspectorNotification } from 'node:inspector'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { type LoopWatchStart, toldBy, type WatchedPlugin } from './loop-watch.js'

// The thread of `LoopWatch`. What it needs to look into the main thread is loaded only when that is kept by something.

/** A main thread that native code keeps does not answer, and its stack is not ours to see. */
const answersWithinMs = 5_000

const { beats, betweenMs, looks } = workerData as LoopWatchStart
const counter = new Int32Array(beats)
const plugins: WatchedPlugin[] = []
parentPort?.on('message', (plugin: WatchedPlugin) => plugins.push(plugin))

let latest = -1
let silent = 0
let isAsking = false
setInterval(() => {
  const now = Atomics.load(counter, 0)
  silent = now === latest ? silent + 1 : 0
  latest = now
  if (silent < looks || isAsking) return
  isAsking = true
  void tellOfGuilty(now).finally(() => {
    isAsking = false
    silent = 0
  })
}, betweenMs)

/** @param beat that has been the latest for so long */
async function tellOfGuilty(beat: number): Promise<void> {
  const { Session } = await import('node:inspector/promises')
  const session = new Session()
  session.connectToMainThread()
  const urls = new Map<string, string>()
  session.on('Debugger.scriptParsed', ({ params }: InspectorNotification<Debugger.ScriptParsedEventDataType>) => {
    urls.set(params.scriptId, params.url)
  })
  const paused = new Promise<readonly Debugger.CallFrame[]>((resolve) => {
    session.once('Debugger.paused', ({ params }: InspectorNotification<Debugger.PausedEventDataType>) =>
      resolve(params.callFrames),
    )
  })
  const answered = (async () => {
    await session.post('Debugger.enable')
    await session.post('Debugger.pause')
    return paused
  })()
  answered.catch(() => undefined)
  try {
    const frames = await Promise.race([answered, sleep(answersWithinMs, undefined)])
    // A pause that came late, after whatever it was, does not count.
    const isKept = Atomics.load(counter, 0) === beat
    const scripts = (frames ?? []).map(({ location }) => urls.get(location.scriptId) ?? '')
    const guilty = isKept ? ownerOf(scripts) : undefined
    if (guilty === undefined) return
    const name = JSON.stringify(guilty.packageName)
    await session.post('Runtime.evaluate', { expression: `globalThis[Symbol.for('${toldBy}')](${name})` })
  } finally {
    // Lets a main thread that is paused go on.
    session.disconnect()
  }
}

/** Whose code is on the stack, innermost first. */
function ownerOf(scripts: readonly string[]): WatchedPlugin | undefined {
  for (const script of scripts) {
    const owner = plugins.find(({ beginnings }) => beginnings.some((beginning) => script.startsWith(beginning)))
    if (owner !== undefined) return owner
  }
  return undefined
}
