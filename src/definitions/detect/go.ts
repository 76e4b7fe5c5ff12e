import type { Folder } from './folder.ts'
import type { Finding } from './renderYaml.ts'

export async function detectGo(folder: Folder, service: string): Promise<Finding | null> {
  const manifest = await folder.read('go.mod')
  if (manifest === null) return null
  const module = /^module\s+"?([^\s"]+)/m.exec(manifest)?.[1]
  const hasMain = folder.names.some((name) => name.endsWith('.go')) || !folder.has('cmd')
  return {
    found: `a Go module (${module === undefined ? 'go.mod' : module.slice(0, 80)})`,
    run: [`./${service}`],
    build: {
      // Without cgo the program runs on any Linux of the same processor, whatever its C library.
      command: `mkdir -p dist && CGO_ENABLED=0 go build -o dist/${service} ${hasMain ? '.' : `./cmd/${service}`}`,
      output: 'dist',
      test: 'go test ./...',
    },
  }
}
