/** Apart from all the rest, so that a program can start a thread, and tell V8 how, before it has loaded anything. */
export { IdleThread } from './engine/worker/threads.js'
export { collectAtOnce, compileLess } from './v8-flags.js'
