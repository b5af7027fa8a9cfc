/** A project of somebody who installed the package: made in a temporary folder from what `npm publish` would upload. */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { blocks } from '../docs/markdown'
import { root } from './built'

const exec = promisify(execFile)

export interface Consumer {
  readonly folder: string
  /** The code blocks of the README that was installed, in the order they are there. */
  readme(language: string): Promise<string[]>
  /** Puts files there, by their names. */
  write(files: Readonly<Record<string, string>>): Promise<void>
  /** Puts other packages there: those that this repository has. */
  add(...packages: string[]): Promise<void>
  /** Runs Node there and answers what it printed. What a program of this repository has to say goes with the error. */
  node(...args: string[]): Promise<string>
  remove(): Promise<void>
}

/** A tool of this repository, by its file: `vite/bin/vite.js`. */
export const tool = (file: string) => join(root, 'node_modules', file)

/** Packs the package as it was built and has npm install nothing but that. */
export async function createConsumer(manifest: object = { type: 'module' }): Promise<Consumer> {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'consumer-')))
  const folder = join(home, 'app')
  await mkdir(folder)
  await exec('npm', ['pack', '--ignore-scripts', '--pack-destination', home], { cwd: root })
  const [tarball = ''] = (await readdir(home)).filter(name => name.endsWith('.tgz'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, ...manifest }))
  await exec('npm', ['install', '--offline', '--no-audit', '--no-fund', join(home, tarball)], { cwd: folder })

  return {
    folder,
    async readme(wanted) {
      const text = await readFile(join(folder, 'node_modules/reconnecting-socket/README.md'), 'utf8')
      return blocks(text).flatMap(({ language, code }) => (language === wanted ? [code] : []))
    },
    async write(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true })
        await writeFile(join(folder, name), content)
      }
    },
    async add(...packages) {
      for (const name of packages) {
        const target = join(folder, 'node_modules', name)
        await mkdir(dirname(target), { recursive: true })
        // What the package itself depends on is there already
        if (!existsSync(target)) await symlink(tool(name), target, 'junction')
      }
    },
    async node(...args) {
      try {
        // What a test runner says of itself is not what a user's shell says
        const env = { ...process.env, NODE_ENV: undefined }
        return (await exec(process.execPath, args, { cwd: folder, timeout: 60_000, env })).stdout
      } catch (error) {
        const { message, stdout, stderr } = error as Error & { stdout?: string; stderr?: string }
        throw new Error([message, stdout, stderr].join('\n'), { cause: error })
      }
    },
    remove: () => rm(home, { recursive: true, force: true }),
  }
}

/** Builds a page with one module by Vite as it comes, and answers the folder of what there is to serve. */
export async function buildPage(consumer: Consumer, module: string): Promise<string> {
  const page = '<!doctype html>\n<title>Quick start</title>\n<script type="module" src="/main.ts"></script>\n'
  await consumer.write({ 'index.html': page, 'main.ts': module })
  await consumer.node(tool('vite/bin/vite.js'), 'build')
  return join(consumer.folder, 'dist')
}

/** Puts a page with script tags into a folder, and beside it the file that it loads, out of the installed package. */
export async function writePage({ folder }: Consumer, html: string, name: string): Promise<string> {
  const [, file = ''] = html.match(/<script src="(.*?)">/) ?? []
  const page = join(folder, name)
  await mkdir(page)
  await cp(join(folder, 'node_modules/reconnecting-socket/dist/umd', file), join(page, file))
  await writeFile(join(page, 'index.html'), `<!doctype html>\n<title>Script tag</title>\n${html}`)
  return page
}
