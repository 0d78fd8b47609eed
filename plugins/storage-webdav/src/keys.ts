const segment = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/

/** Whether this is a key of the port. Nothing else is stored, nor listed when it lies in the folder. */
export function isKey(text: string): boolean {
  return text.length <= 512 && text.split('/').every((part) => segment.test(part))
}
