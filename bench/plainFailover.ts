import { AddressWatch } from '../test/lab/addressWatch.ts'
import { openLab, type Lab } from '../test/lab/lab.ts'
import type { LabMachine } from '../test/lab/labMachine.ts'
import type { LabNetwork } from '../test/lab/network.ts'
import { Probe } from '../test/lab/probe.ts'

const steadyMs = 60_000
const lookMs = 50
const quietLooks = 10
const advertSeconds = Number(process.env['ADVERT'] ?? 1)
const server = `require("http").createServer((q, r) => r.end("hello")).listen(8080)`

/**
 * A careful manual configuration by the usual guides: advert_int 1, a vrrp_script every 2 s, HAProxy checks both.
 * `ADVERT`: seconds.
 */
export class PlainFailover {
  readonly lab: Lab
  readonly watch: AddressWatch
  readonly address = '10.77.0.50'

  static async open(): Promise<PlainFailover> {
    const plain = new PlainFailover(await openLab({ machines: ['a', 'b'] }))
    try {
      await Promise.all(plain.lab.machines.map((machine) => plain.#configure(machine)))
      for (const { name } of plain.lab.machines) await plain.watch.watch(name)
      await plain.repair()
      return plain
    } catch (error) {
      await plain.close()
      throw error
    }
  }

  private constructor(lab: Lab) {
    this.lab = lab
    this.watch = new AddressWatch(lab, this.address)
  }

  get holder(): LabMachine {
    return this.lab.machine(this.watch.holders[0] ?? '')
  }

  get network(): LabNetwork {
    return this.lab.network
  }

  probe(): Probe {
    return new Probe(this.lab, { url: `http://${this.address}/`, keepAlive: false, perSecond: 500, timeoutMs: 3_000 })
  }

  /** The manual configuration has no drain, so this stops keepalived. */
  async drain(): Promise<void> {
    await this.holder.must(['systemctl', 'stop', 'keepalived'])
  }

  async signal(machine: LabMachine, unit: string, signal: 'KILL' | 'STOP'): Promise<void> {
    const plain = unit.replace('tandem-', '')
    await machine.must(['systemctl', 'kill', '--kill-whom=all', `--signal=SIG${signal}`, plain])
  }

  async repair(): Promise<void> {
    await this.network.heal()
    for (const machine of this.lab.machines) {
      if (!machine.isUp) {
        await machine.boot()
        await this.watch.watch(machine.name)
      }
      for (const unit of ['keepalived', 'haproxy']) {
        const { out } = await machine.run(['sh', '-c', `cat /proc/$(pidof -s ${unit})/stat`])
        if (out.includes(') T ')) await machine.run(['systemctl', 'kill', '--kill-whom=all', '--signal=SIGKILL', unit])
        await machine.run(['systemctl', 'reset-failed', unit])
      }
      await machine.must(['systemctl', 'start', 'web', 'haproxy', 'keepalived'])
    }
    const deadline = performance.now() + steadyMs
    for (let quiet = 0; quiet < quietLooks;) {
      const answers = await Promise.all(
        this.lab.machines.map((one) => one.run(['curl', '-s', '--max-time', '1', 'http://127.0.0.1/'])),
      )
      const isSteady = this.watch.holders.length === 1 && answers.every(({ out }) => out === 'hello')
      quiet = isSteady ? quiet + 1 : 0
      if (performance.now() > deadline)
        throw new Error(`not steady: the address is held by ${this.watch.holders.join(', ')}`)
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    }
  }

  async close(): Promise<void> {
    this.watch.close()
    await this.lab.close()
  }

  async #configure(machine: LabMachine): Promise<void> {
    const peer = this.lab.machine(machine.name === 'a' ? 'b' : 'a')
    machine.write('/etc/keepalived/keepalived.conf', keepalivedByHand(machine, peer, this.address))
    machine.write('/etc/haproxy/haproxy.cfg', haproxyByHand(this.lab.machines))
    machine.write(
      '/etc/systemd/system/web.service',
      `[Service]\nExecStart=/usr/bin/node -e '${server}'\nRestart=always\n[Install]\nWantedBy=multi-user.target\n`,
    )
    await machine.must(['systemctl', 'daemon-reload'])
    await machine.must(['systemctl', 'enable', '--quiet', 'web', 'haproxy', 'keepalived'])
  }
}

const keepalivedByHand = (own: LabMachine, peer: LabMachine, address: string): string => `global_defs {
${advertSeconds < 1 ? '  vrrp_version 3\n' : ''}  enable_script_security
  script_user root
}
vrrp_script haproxy {
  script "/usr/bin/pidof haproxy"
  interval 2
  weight 2
}
vrrp_instance VI_1 {
  interface eth0
  state ${own.name === 'a' ? 'MASTER' : 'BACKUP'}
  virtual_router_id 51
  priority ${own.name === 'a' ? 101 : 100}
  advert_int ${advertSeconds}
  unicast_src_ip ${own.address}
  unicast_peer {
    ${peer.address}
  }
  virtual_ipaddress {
    ${address}
  }
  track_script {
    haproxy
  }
}
`

const haproxyByHand = (machines: LabMachine[]): string => `global
  no strict-limits
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  option redispatch
frontend web
  bind :80
  default_backend web
backend web
${machines.map(({ name, address }) => `  server ${name} ${address}:8080 check inter 2s fall 3\n`).join('')}`
