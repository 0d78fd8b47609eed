/** Apart from all the rest, so that a program can start a thread before it has loaded anything. */
export { IdleThread } from './engine/worker/threads.js'
export { compileLess } from './v8-flags.js'
