/**
 * Where what threads and processes of ours begin with lies: beside the module that starts it. Run from the sources (by tests), it
 * is what was compiled of it, since they cannot load TypeScript.
 * @param here `import.meta.url` of that module
 * @param name of the compiled file
 */
export function compiledUrl(here: string, name: string): URL {
  return new URL(name, here.endsWith('.ts') ? here.replace(/\/src\/(?!.*\/src\/)/, '/dist/') : here)
}
