const LOOK_MS = 10

/** @throws Error when it has not come to that in time */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`it did not come to this: ${what}`)
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
}
