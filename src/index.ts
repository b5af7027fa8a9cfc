export type { Close, StateName } from './core/lifecycle'
export type { Gap, SequenceNumber } from './core/sequence'
export { type DiagnoseOptions, type DiagnoseResponse, diagnose } from './diagnose'
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
  Queue,
  SessionLost,
  SocketState,
  Stats,
  Transition,
  Undelivered,
  UndeliveredCode,
} from './events'
export type {
  AttemptContext,
  BackoffOptions,
  CloseOptions,
  HandshakeContext,
  HeartbeatOptions,
  MessagesOptions,
  Options,
  Platform,
  Provider,
  QueueOptions,
  Resend,
  ResumableOptions,
  SendOptions,
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
export { resumable } from './resumable'
export type { StandardSchema } from './schema'
export {
  type ReorderOptions,
  type Sequence,
  type SequenceLink,
  type SequenceOptions,
  type SequenceShell,
  sequence,
} from './sequence'
export type { SessionMode } from './session'
export { type SocketStreams, streams } from './streams'
export { userTiming } from './user-timing'
export { bytes, type Codec, json, text } from './wire/codec'
