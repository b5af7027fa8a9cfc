/** Messages are checked by the application's own schema: any Standard Schema (https://standardschema.dev). */

import { SocketError, ValidationError, type ValidationIssue } from './errors'

type Result<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly ValidationIssue[] }

/** What zod, valibot, arktype and others make: Standard Schema version 1. It must answer at once, not by a promise. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Result<Output> | Promise<Result<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/**
 * @returns what the schema makes of the message; the message itself if there is no schema
 * @throws ValidationError, SocketError `async-schema`
 */
export const validate = <Output>(
  schema: StandardSchema<unknown, Output> | undefined,
  message: unknown,
): Output => {
  if (!schema) return message as Output
  const result = schema['~standard'].validate(message)
  if ('then' in result) {
    // Its answer, or failure, is nobody's any more
    result.then(undefined, () => {})
    throw new SocketError(
      'async-schema',
      'the schema answers with a promise: messages would lose their order',
    )
  }
  if (result.issues) throw new ValidationError(result.issues)
  return result.value
}
