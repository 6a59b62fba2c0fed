/** Process and runtime metrics under their semantic-convention names. */
import { availableParallelism } from 'node:os'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { type Meter, ValueType } from '@opentelemetry/api'

/** Registers the observers on `meter`; they are read at every export. */
export function observeResourceUsage(meter: Meter): void {
  observeProcess(meter)
  observeEventLoop(meter)
  meter
    .createObservableUpDownCounter('v8js.memory.heap.used', { unit: 'By', valueType: ValueType.INT })
    .addCallback(result => result.observe(getHeapStatistics().used_heap_size))
}

function observeProcess(meter: Meter): void {
  let lastCpuUs = cpuTimeUs()
  let lastAtMs = performance.now()
  meter.createObservableGauge('process.cpu.utilization', { unit: '1' }).addCallback(result => {
    const nowUs = cpuTimeUs()
    const nowMs = performance.now()
    const share = (nowUs - lastCpuUs) / 1000 / Math.max(1, nowMs - lastAtMs) / availableParallelism()
    lastCpuUs = nowUs
    lastAtMs = nowMs
    result.observe(share)
  })
  meter.createObservableCounter('process.cpu.time', { unit: 's' }).addCallback(result => {
    const { user, system } = process.cpuUsage()
    result.observe(user / 1e6, { 'cpu.mode': 'user' })
    result.observe(system / 1e6, { 'cpu.mode': 'system' })
  })
  meter
    .createObservableUpDownCounter('process.memory.usage', { unit: 'By', valueType: ValueType.INT })
    .addCallback(result => result.observe(process.memoryUsage.rss()))
}

function observeEventLoop(meter: Meter): void {
  const resolutionMs = 10
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  const mean = meter.createObservableGauge('nodejs.eventloop.delay.mean', { unit: 's' })
  const tail = meter.createObservableGauge('nodejs.eventloop.delay.p99', { unit: 's' })
  const busy = meter.createObservableGauge('nodejs.eventloop.utilization', { unit: '1' })
  let last = performance.eventLoopUtilization()
  meter.addBatchObservableCallback(
    result => {
      // The histogram measures the distance of two ticks; what exceeds the timer's own period is the delay.
      const delayOf = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3)
      if (delay.count > 0) {
        result.observe(mean, delayOf(delay.mean))
        result.observe(tail, delayOf(delay.percentile(99)))
      }
      delay.reset()
      const now = performance.eventLoopUtilization()
      result.observe(busy, performance.eventLoopUtilization(now, last).utilization)
      last = now
    },
    [mean, tail, busy],
  )
}

function cpuTimeUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
