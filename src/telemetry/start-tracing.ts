import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { StartupError } from '../lib/errors.ts'
import { traceStatements } from './trace-statements.ts'

/** The shutdown of zinc must not wait longer for a collector that does not answer. */
const FLUSH_WITHIN_MS = 2_000

export interface Tracing {
  /** Sends what waits. */
  shutdown(): Promise<void>
}

/**
 * Sends spans by the standard `OTEL_*` variables. Endpoint, headers, timeout, compression and
 * certificates are read by the exporter, name and attributes by the resource. Throws StartupError
 * `invalid_configuration` (exit status 2) for what zinc does not bring.
 */
export function startTracing(env: NodeJS.ProcessEnv): Tracing {
  const number = (name: string) => (env[name]?.trim() ? Number(env[name]) : undefined)
  const limits = {
    scheduledDelayMillis: number('OTEL_BSP_SCHEDULE_DELAY'),
    maxQueueSize: number('OTEL_BSP_MAX_QUEUE_SIZE'),
    maxExportBatchSize: number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
    exportTimeoutMillis: number('OTEL_BSP_EXPORT_TIMEOUT'),
  }
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'zinc' }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(env),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: exporterOf(env),
        ...(Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)) as object),
      }),
    ],
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(provider)
  const untrace = traceStatements()
  return {
    async shutdown() {
      let late: NodeJS.Timeout | undefined
      await Promise.race([
        provider.shutdown().catch(() => {}),
        new Promise<void>((resolve) => {
          late = setTimeout(resolve, FLUSH_WITHIN_MS)
        }),
      ])
      clearTimeout(late)
      untrace()
      trace.disable()
      context.disable()
      propagation.disable()
    },
  }
}

function exporterOf(env: NodeJS.ProcessEnv) {
  const name = env.OTEL_TRACES_EXPORTER?.trim() || 'otlp'
  if (name === 'console') return new ConsoleSpanExporter()
  if (name !== 'otlp') throw unsupported(`OTEL_TRACES_EXPORTER: ${name} is not known. Use otlp, console or none`)
  const protocol = (env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/protobuf').trim()
  if (protocol !== 'http/protobuf') throw unsupported(`OTEL_EXPORTER_OTLP_PROTOCOL: zinc sends http/protobuf, not ${protocol}`)
  return new OTLPTraceExporter()
}

/** As the specification of OpenTelemetry names them. */
function samplerOf(env: NodeJS.ProcessEnv): Sampler {
  const ratio = () => new TraceIdRatioBasedSampler(env.OTEL_TRACES_SAMPLER_ARG ? Number(env.OTEL_TRACES_SAMPLER_ARG) : 1)
  const name = env.OTEL_TRACES_SAMPLER?.trim() || 'parentbased_always_on'
  const root = { always_on: () => new AlwaysOnSampler(), always_off: () => new AlwaysOffSampler(), traceidratio: ratio }[
    name.replace('parentbased_', '')
  ]
  if (!root) throw unsupported(`OTEL_TRACES_SAMPLER: ${name} is not known`)
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root: root() }) : root()
}

const unsupported = (problem: string) => new StartupError('invalid_configuration', { problems: [problem] }, { exitStatus: 2 })
