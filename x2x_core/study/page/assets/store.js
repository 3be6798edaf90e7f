// Answers of one reader: kept in the browser at once, on the server if there is one, and as a file.

const FORMAT = 'x2x-answers-1'

class Store {
  constructor(study, reader, onState) {
    this.study = study
    this.reader = reader
    this.onState = onState
    this.key = `x2x-study:${study.study}:${reader}`
    this.data = this.empty()
    this.local = true
    this.pending = false
  }

  empty() {
    return {
      format: FORMAT, study: this.study.study, reader: this.reader, revision: 0, consent: null, complete: false,
      answers: {}, training: {},
    }
  }

  // Return the reasons why a record can't be continued here, or an empty text.
  fault(record) {
    if (!record || record.format !== FORMAT) return 'This is not a file of answers.'
    if (record.study !== this.study.study) return 'These answers are of another study.'
    if (record.reader !== this.reader) return `These answers are of reader ${record.reader}.`
    return ''
  }

  adopt(record) {
    if (!this.fault(record) && record.revision > this.data.revision) this.data = record
  }

  async load() {
    try {
      const text = localStorage.getItem(this.key)
      if (text) this.adopt(JSON.parse(text))
    } catch (error) { this.local = false }
    if (!this.study.server) return
    const answer = await fetch('answers', { cache: 'no-store' })
    if (answer.status === 200) this.adopt(await answer.json())
    else if (answer.status !== 204) throw new Error(`The server answered ${answer.status}.`)
  }

  save() {
    this.data.revision += 1
    this.data.saved = new Date().toISOString()
    try { localStorage.setItem(this.key, JSON.stringify(this.data)); this.local = true } catch (error) { this.local = false }
    if (this.study.server) this.send()
    else this.tell()
  }

  async send() {
    if (this.sending) { this.pending = true; return }
    this.sending = true
    this.pending = false
    try {
      const body = JSON.stringify(this.data)
      const answer = await fetch('answers', { method: 'PUT', body, headers: { 'Content-Type': 'application/json' } })
      this.problem = answer.ok ? '' : answer.status === 409 ? 'Open in another window: close it and reload' : 'Not stored on the server'
    } catch (error) { this.problem = 'Not stored on the server: no connection' }
    this.sending = false
    this.tell()
    if (this.pending) this.send()
    else if (this.problem) setTimeout(() => this.problem && this.send(), 5000)
  }

  tell() {
    if (this.study.server) this.onState(this.problem || 'Stored on the server', Boolean(this.problem))
    else if (this.local) this.onState('Kept in this browser', false)
    else this.onState('This browser keeps nothing: save a copy before you close it', true)
  }

  text() { return JSON.stringify(this.data, null, 1) + '\n' }

  download() {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([this.text()], { type: 'application/json' }))
    link.download = `answers-${this.study.study}-${this.reader}.json`
    document.body.append(link)
    link.click()
    link.remove()
    setTimeout(() => URL.revokeObjectURL(link.href), 1000)
  }

  record(kind, part, name) { return this.data[kind][part]?.[name] }

  put(kind, part, name, record) {
    this.data[kind][part] = { ...this.data[kind][part], [name]: record }
    this.save()
  }
}
