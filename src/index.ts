export type { Close, StateName } from './core/lifecycle'
export {
  FatalError,
  SocketError,
  type SocketErrorCode,
  ValidationError,
  type ValidationIssue,
} from './errors'
export type {
  CloseEvent,
  CloseResult,
  EventMap,
  LogRecord,
  OpenEvent,
  SocketState,
  Stats,
  Transition,
  Undelivered,
} from './events'
export type {
  AttemptContext,
  BackoffOptions,
  HandshakeContext,
  HeartbeatOptions,
  Options,
  Platform,
  Provider,
  QueueOptions,
} from './options'
export type { Clock } from './platform/clock'
export type { Page, PageEvent } from './platform/page'
export type {
  OpenTransport,
  Transport,
  TransportHandlers,
  WebSocketConstructor,
  WebSocketLike,
} from './platform/transport'
export { ReconnectingSocket } from './reconnecting-socket'
export type { StandardSchema } from './schema'
export { userTiming } from './user-timing'
export { bytes, type Codec, json, text } from './wire/codec'
