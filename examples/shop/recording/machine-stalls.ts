/**
 * Whether the machine itself was too busy for the shop: then every service is slow together, and what is
 * recorded tells of the machine. A timer of a process of the same priority tells.
 */
export interface StallWatch {
  /** Share of ticks since the last call that came later than a shop's own work explains. */
  take(): number
  stop(): void
}

const tickMs = 20
/** Half of what the slightest trouble adds to a request. */
const lateMs = 40

export function watchStalls(): StallWatch {
  let ticks = 0
  let late = 0
  let lastMs = performance.now()
  const timer = setInterval(() => {
    const nowMs = performance.now()
    ticks++
    if (nowMs - lastMs - tickMs > lateMs) late++
    lastMs = nowMs
  }, tickMs)
  return {
    take: () => {
      const share = ticks === 0 ? 0 : late / ticks
      ticks = 0
      late = 0
      return share
    },
    stop: () => clearInterval(timer),
  }
}
