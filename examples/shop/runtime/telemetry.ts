/**
 * OpenTelemetry as an application uses it: the Node SDK reads exporters, resource and intervals from the
 * standard `OTEL_*` variables, the HTTP instrumentation makes the HTTP spans.
 */
import { createRequire } from 'node:module'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { thresholdSampler } from './sampler.ts'

/** Starts all three signals. Returns the flush that a process owes before it ends. */
export function startTelemetry(): () => Promise<void> {
  const exporter = new URL(process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? 'http://127.0.0.1:4318')
  const threshold = process.env['SHOP_SAMPLING_THRESHOLD'] ?? ''
  const sdk = new NodeSDK({
    ...(threshold === '' ? {} : { sampler: thresholdSampler(threshold) }),
    instrumentations: [
      new HttpInstrumentation({
        // The exporter's own requests are no part of the shop, neither as spans nor in the client metrics.
        ignoreOutgoingRequestHook: request =>
          request.hostname === exporter.hostname && Number(request.port) === Number(exporter.port),
      }),
    ],
  })
  sdk.start()
  // The instrumentation patches a module when it is required, and these files are ES modules.
  createRequire(import.meta.url)('node:http')
  return () => sdk.shutdown()
}
