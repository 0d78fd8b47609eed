import type { Storage } from '@bkp/plugin-api'

/** By URL: `made:NAME`. */
export declare const madeStorages: Map<string, Storage>
