import type { Folder } from './folder.ts'
import type { Finding } from './renderYaml.ts'

const manifests = ['requirements.txt', 'pyproject.toml', 'Pipfile', 'uv.lock']
const entryFiles = ['app.py', 'main.py', 'server.py', 'manage.py', 'wsgi.py', 'asgi.py']

export async function detectPython(folder: Folder): Promise<Finding | null> {
  const entry = entryFiles.find((file) => folder.has(file))
  const manifest = manifests.find((file) => folder.has(file))
  if (entry === undefined && manifest === undefined) return null
  const needs = [await folder.read('requirements.txt'), await folder.read('pyproject.toml')].join('\n').toLowerCase()
  const hasTests = folder.has('tests') || folder.has('test')
  const python = manifest === undefined ? 'python3' : '.venv/bin/python'
  const build = {
    ...(manifest === undefined ? {} : { command: install(folder) }),
    ...(hasTests ? { test: `${python} -m ${needs.includes('pytest') ? 'pytest' : 'unittest discover'}` } : {}),
  }
  return {
    found: `a Python project (${[manifest, entry].filter((file) => file !== undefined).join(', ')})`,
    run: runOf(python, entry, needs),
    runNote: noteOn(entry),
    build,
    prepare: entry === 'manage.py' ? [python, 'manage.py', 'migrate'] : undefined,
    needed: ['.venv'],
    // Buffered output would be missing from the logs when it is needed.
    env: { PYTHONUNBUFFERED: '1' },
  }
}

function noteOn(entry: string | undefined): string | undefined {
  if (entry === undefined) return 'Name the program that starts the service.'
  return entry === 'manage.py' ? 'For production, name your WSGI server instead, such as gunicorn.' : undefined
}

/** `--copies`: a link to the system's python leads out of the release, and the release would be refused. */
function install(folder: Folder): string {
  if (folder.has('uv.lock')) return 'python3 -m venv --copies .venv && uv sync --frozen'
  const what = folder.has('requirements.txt') ? '-r requirements.txt' : '.'
  return `python3 -m venv --copies .venv && .venv/bin/python -m pip install ${what}`
}

/** The servers that frameworks run with, where the manifests name them; otherwise the file itself. */
function runOf(python: string, entry: string | undefined, needs: string): string[] {
  const module = (entry ?? 'app.py').replace(/\.py$/, '')
  if (entry === 'manage.py') {
    return [python, 'manage.py', 'runserver', '--noreload', '${HOST}:${PORT}']
  }
  if (/\buvicorn\b|\bfastapi\b/.test(needs)) {
    return [python, '-m', 'uvicorn', `${module}:app`, '--host', '${HOST}', '--port', '${PORT}']
  }
  if (/\bgunicorn\b/.test(needs)) return [python, '-m', 'gunicorn', `${module}:app`, '--bind', '${HOST}:${PORT}']
  if (/\bflask\b/.test(needs)) {
    return [python, '-m', 'flask', '--app', module, 'run', '--host', '${HOST}', '--port', '${PORT}']
  }
  return [python, entry ?? 'app.py']
}
