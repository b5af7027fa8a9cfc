/** Programs as they would be with one change to our source, for judges to find. */

import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** One change to the source. */
export interface Plant {
  /** Below `src`, without `.ts`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A bug, and the rule that finds it. */
export interface Mutant extends Plant {
  readonly bug: string
  readonly rule: string
  /** What else has to go for it to show. */
  readonly also?: Plant
}

export const planted =
  (file: string) =>
  (bug: string, rule: string, find: string, replace: string): Mutant => ({ bug, rule, file, find, replace })

export const plantsOf = (mutant: Mutant): readonly Plant[] => [mutant, ...(mutant.also ? [mutant.also] : [])]

const sourceOf = (file: string): string => readFileSync(`${root}src/${file}.ts`, 'utf8')

/** @throws Error if a change has no place in the source any more, or several */
const grown = (file: string, plants: readonly Plant[]): string =>
  plants
    .filter(plant => plant.file === file)
    .reduce((source, { find, replace }) => {
      if (source.split(find).length !== 2) throw new Error(`${file}: not once: ${find}`)
      return source.replace(find, () => replace)
    }, sourceOf(file))

/** Where packages are found, and nobody else looks. */
export const createFolder = async (): Promise<{ readonly path: string; remove(): Promise<void> }> => {
  const path = await mkdtemp(join(root, 'node_modules/.conformance-'))
  return { path, remove: () => rm(path, { recursive: true }) }
}

/** @returns the path of a module that is `entry`, and all that it imports of ours, with these changes */
export const bundle = async (entry: string, into: string, plants: readonly Plant[] = []): Promise<string> => {
  const outfile = join(into, `${Math.random()}.mjs`)
  await build({
    entryPoints: [root + entry],
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outfile,
    plugins: [
      {
        name: 'plant',
        setup: ({ onLoad }) => {
          for (const file of new Set(plants.map(({ file }) => file)))
            onLoad({ filter: new RegExp(`src/${file}\\.ts$`) }, () => ({
              contents: grown(file, plants),
              loader: 'ts',
            }))
        },
      },
    ],
  })
  return outfile
}
