// How results are shown: every one, then medians and minima, which other work on the machine disturbs least.
export function line({ wallSeconds, cpuSeconds, peakMiB }) {
  return `${wallSeconds.toFixed(2).padStart(7)} s wall  ${cpuSeconds.toFixed(2).padStart(7)} s cpu  ${peakMiB.toFixed(0).padStart(5)} MiB peak`
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2
}

export const lowest = (values) => Math.min(...values)

/**
 * Proportions of two lists that are in the order of their rounds. The runs of one round have more in common than the medians have,
 * where the machine is not equally fast all the time.
 */
export function ratios(ours, theirs, digits = 2) {
  const parts = {
    medians: median(ours) / median(theirs),
    minima: lowest(ours) / lowest(theirs),
    rounds: median(ours.map((one, round) => one / theirs[round])),
  }
  return Object.entries(parts)
    .map(([by, ratio]) => `${ratio.toFixed(digits)} by ${by}`)
    .join(', ')
}

/** All ways to call a round's order, so that nobody is always first. */
export function turned(list, round) {
  const at = round % list.length
  return [...list.slice(at), ...list.slice(0, at)]
}
