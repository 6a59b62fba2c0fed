"""Sends traces, logs and metrics with OpenTelemetry's Python SDK, and prints what it handed to its exporters.

Usage: python_peer.py grpc|http ENDPOINT gzip|none SERVICE
Prints one JSON object {"traces": [...], "logs": [...], "metrics": [...]} of OTLP/JSON export requests, made by the
SDK's own encoder and protobuf's own JSON mapping (ids turned from base64 to hexadecimal, as OTLP/JSON wants them).
"""

import base64
import json
import logging
import sys

from google.protobuf.json_format import MessageToDict
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

try:
    from opentelemetry.sdk._logs import LoggingHandler
except ImportError:
    from opentelemetry.instrumentation.logging.handler import LoggingHandler

ID_KEYS = {"traceId", "spanId", "parentSpanId"}
sent = {"traces": [], "logs": [], "metrics": []}


def with_hex_ids(value):
    if isinstance(value, list):
        return [with_hex_ids(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(inner).hex() if key in ID_KEYS and isinstance(inner, str) else with_hex_ids(inner)
        for key, inner in value.items()
    }


def tap(exporter, signal, encode):
    original = exporter.export

    def export(items, *args, **kwargs):
        message = MessageToDict(encode(items), use_integers_for_enums=True)
        sent[signal].append(with_hex_ids(message))
        result = original(items, *args, **kwargs)
        if result.value != 0:
            raise SystemExit(f"{signal}: export failed with {result}")
        return result

    exporter.export = export
    return exporter


def exporters(transport, endpoint, compression):
    if transport == "grpc":
        from grpc import Compression
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        chosen = Compression.Gzip if compression == "gzip" else Compression.NoCompression
        options = {"endpoint": endpoint, "insecure": True, "compression": chosen}
        return OTLPSpanExporter(**options), OTLPLogExporter(**options), OTLPMetricExporter(**options)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    chosen = Compression.Gzip if compression == "gzip" else Compression.NoCompression
    return (
        OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", compression=chosen),
        OTLPLogExporter(endpoint=f"{endpoint}/v1/logs", compression=chosen),
        OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", compression=chosen),
    )


def main(transport, endpoint, compression, service):
    spans, logs, metrics = exporters(transport, endpoint, compression)
    resource = Resource.create({"service.name": service, "service.version": "3.0", "flags": [True, False]})
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(tap(spans, "traces", encode_spans)))
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(tap(logs, "logs", encode_logs)))
    reader = PeriodicExportingMetricReader(tap(metrics, "metrics", encode_metrics), export_interval_millis=3_600_000)
    meters = MeterProvider(resource=resource, metric_readers=[reader])

    log = logging.getLogger("peer")
    log.addHandler(LoggingHandler(logger_provider=loggers))
    log.setLevel(logging.DEBUG)

    tracer = tracers.get_tracer("peer", "1.0")
    with tracer.start_as_current_span("root", kind=SpanKind.SERVER, attributes={"n": 7, "x": 0.5, "l": ["a"]}) as root:
        log.info("took order %d", 17)
        link = Link(trace.SpanContext(0x1234, 0x5678, is_remote=True), {"why": "batch"})
        with tracer.start_as_current_span("child", kind=SpanKind.CLIENT, links=[link]) as child:
            child.add_event("retry", {"attempt": 2})
            child.set_status(Status(StatusCode.ERROR, "gave up"))
        try:
            raise ValueError("naïve ✓")
        except ValueError as error:
            root.record_exception(error)
            log.exception("failed for %s", "Zoë")

    meter = meters.get_meter("peer", "1.0")
    meter.create_counter("jobs", unit="{job}").add(3, {"queue": "a"})
    meter.create_up_down_counter("waiting").add(-1)
    histogram = meter.create_histogram("took", unit="s")
    for value in (0.001, 0.3, 40.0):
        histogram.record(value, {"queue": "a"})
    meter.create_gauge("temperature").set(21.5)

    for provider in (tracers, loggers, meters):
        provider.shutdown()
    json.dump(sent, sys.stdout)


main(*sys.argv[1:5])
