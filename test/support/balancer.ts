/** A TCP balancer that keeps clients where they were: by the `rs` of the address that they ask for first. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Balancer {
  readonly url: string
  /** New connections may go there. */
  add(port: number): void
  /** None will any more. Those that are there stay. */
  remove(port: number): void
  close(): Promise<void>
}

const hash = (text: string) => [...text].reduce((sum, sign) => (sum * 31 + sign.charCodeAt(0)) >>> 0, 7)

export const startBalancer = async (): Promise<Balancer> => {
  let ports: number[] = []
  const open = new Set<Socket>()
  const server = createServer(client => {
    open.add(client)
    client.on('error', () => client.destroy())
    client.on('close', () => open.delete(client))
    // The request line comes first, and in one piece from whoever is so near
    client.once('data', first => {
      const [, id = ''] = /[?&]rs=([^& ]*)/.exec(first.toString('latin1')) ?? []
      // Rendezvous hashing: when one goes, only its clients move
      const [port] = [...ports].sort((a, b) => hash(`${id} ${b}`) - hash(`${id} ${a}`))
      if (port === undefined) return void client.destroy()
      const backend = connect(port, '127.0.0.1')
      backend.on('error', () => client.destroy())
      backend.on('close', () => client.destroy())
      client.on('close', () => backend.destroy())
      backend.write(first)
      client.pipe(backend).pipe(client)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add(port) {
      ports.push(port)
    },
    remove(port) {
      ports = ports.filter(other => other !== port)
    },
    async close() {
      for (const client of open) client.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
