/** Findings from lost messages: the destination that lost them, or the consumer that is gone. */
import type { Evidence } from './evidence.ts'
import {
  errorReachOf,
  type Finding,
  makeFeature,
  onsetOf,
  reports,
  sureness,
  traceHandle,
} from './finding.ts'
import type { MessageLoss } from './message-losses.ts'

export function messageFeature(evidence: Evidence): readonly Finding[] {
  return evidence.losses.map(loss => findingOf(evidence, loss))
}

function findingOf(evidence: Evidence, loss: MessageLoss): Finding {
  const { names, window } = evidence
  const consumer = names.text(loss.consumer)
  const destination = names.text(loss.destination)
  // Who takes nothing and is not heard of at all did not lose messages in between: it is not there.
  const gone = loss.taken === 0 && !isAlive(evidence, loss.consumer)
  const place = gone ? consumer : destination
  const hit = (loss.traces.size * loss.lost) / loss.sent
  const measured = {
    messages_sent: loss.sent,
    messages_taken: loss.taken,
    baseline_messages_sent: loss.baseSent,
    baseline_messages_taken: loss.baseTaken,
    messages_lost: loss.lost,
    requests: window.set.traces,
    evidence_nats: loss.evidence,
  }
  return {
    service: place,
    peer: !gone && !reports(evidence, loss.destination),
    feature: makeFeature(
      'lost_messages',
      sureness(loss.evidence) * errorReachOf(hit, window.set.traces),
      measured,
      [...traceHandle(evidence, loss.traces), { kind: 'edge', caller: destination, callee: consumer }],
    ),
    place: {},
    traces: loss.traces,
    onsetMs: onsetOf(evidence, loss.traces),
  }
}

function isAlive(evidence: Evidence, service: number): boolean {
  if (evidence.window.set.service.includes(service)) return true
  const name = evidence.names.text(service)
  return [...evidence.windowSeries.values()].some(series => series.id.service === name)
}
