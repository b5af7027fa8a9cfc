/** An editor's view of a file: TypeScript's own language server, asked as editors ask it. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Consumer, tool } from './consumer'

/** What is shown beside a name. */
export interface Hint {
  readonly name: string
  readonly documentation: string
  /** By the name of the tag: `default` of `@default 10_000`. */
  readonly tags: Readonly<Record<string, string>>
}

export interface Editor {
  /** What may be written where the code has a `|`, with its hints. */
  complete(code: string): Promise<Hint[]>
  /** What is shown when the mouse rests where the code has a `|`. */
  hover(code: string): Promise<Hint>
  /** The parameters of the call, where the code has a `|` inside the parentheses. */
  signature(code: string): Promise<string[]>
  /** What is underlined. */
  errors(code: string): Promise<string[]>
  stop(): Promise<void>
}

interface Part {
  readonly text: string
}

/** As the server answers: of all its answers, what is read here. */
interface Answer {
  readonly type: string
  readonly request_seq: number
  readonly success: boolean
  readonly message?: string
  readonly body?: unknown
}

interface Details {
  readonly name: string
  readonly documentation: readonly Part[] | string
  readonly tags: readonly { readonly name: string; readonly text?: string }[]
}

const hint = ({ name, documentation, tags }: Details): Hint => ({
  name,
  documentation:
    typeof documentation === 'string' ? documentation : documentation.map(({ text }) => text).join(''),
  tags: Object.fromEntries(tags.map(({ name, text = '' }) => [name, text])),
})

export async function startEditor({ folder, write }: Consumer): Promise<Editor> {
  const file = join(folder, 'editor.ts')
  const compilerOptions = {
    strict: true,
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    lib: ['es2022', 'dom'],
    types: [],
  }
  await write({ 'editor.ts': '', 'tsconfig.json': JSON.stringify({ compilerOptions, files: ['editor.ts'] }) })

  const flags = ['--useNodeIpc', '--disableAutomaticTypingAcquisition', '--suppressDiagnosticEvents']
  const server = fork(tool('typescript/lib/tsserver.js'), flags, {
    cwd: folder,
    stdio: 'ignore',
    execArgv: [],
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  server.on('message', (answer: Answer) => {
    if (answer.type === 'response') waiting.get(answer.request_seq)?.(answer)
  })
  let asked = 0

  const tell = (command: string, args?: object) => {
    const seq = ++asked
    server.send({ seq, type: 'request', command, arguments: args })
    return seq
  }

  async function ask<T>(command: string, args: object): Promise<T> {
    const seq = tell(command, args)
    const { success, message, body } = await new Promise<Answer>(resolve => waiting.set(seq, resolve))
    waiting.delete(seq)
    if (!success) throw new Error(`${command}: ${message}`)
    return body as T
  }

  /** Writes the code into the file, without its `|`, and answers where that was. */
  function put(code: string) {
    const [before = '', after = ''] = code.split('|')
    tell('updateOpen', { closedFiles: [file] })
    tell('updateOpen', { openFiles: [{ file, fileContent: before + after }] })
    const lines = before.split('\n')
    return { file, line: lines.length, offset: (lines.at(-1) ?? '').length + 1 }
  }

  return {
    async complete(code) {
      const place = put(code)
      const { entries } = await ask<{ entries: { name: string }[] }>('completionInfo', place)
      const entryNames = entries.map(({ name }) => name)
      return (await ask<Details[]>('completionEntryDetails', { ...place, entryNames })).map(hint)
    },
    async hover(code) {
      const { displayString, ...rest } = await ask<Details & { displayString: string }>(
        'quickinfo',
        put(code),
      )
      return hint({ ...rest, name: displayString })
    },
    async signature(code) {
      const { items } = await ask<{ items: { parameters: { displayParts: Part[] }[] }[] }>(
        'signatureHelp',
        put(code),
      )
      const [first] = items
      return first?.parameters.map(({ displayParts }) => displayParts.map(({ text }) => text).join('')) ?? []
    },
    async errors(code) {
      put(code)
      return (await ask<{ text: string }[]>('semanticDiagnosticsSync', { file })).map(({ text }) => text)
    },
    async stop() {
      tell('exit')
      await once(server, 'exit')
    },
  }
}
