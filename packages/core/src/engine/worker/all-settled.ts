/**
 * As `Promise.all`, but also a failure comes only when nothing is at work any more: a thread that is ended while it loads
 * native code can bring the whole process down.
 * @throws the first failure in the order of `values`
 */
export async function allSettled<T extends readonly unknown[] | []>(
  values: T,
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(values)
  return Promise.all(values)
}
