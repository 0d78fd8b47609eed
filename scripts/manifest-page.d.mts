/** Text of docs/plugins/manifest.md. */
export declare function manifestPage(): string
