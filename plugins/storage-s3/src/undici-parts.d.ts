// Only what is needed of undici: all of it takes 0.1 s to load, most of that for `fetch`.
declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici'
  export default Agent
}
