// The questions of a case: options by mouse, Tab and arrows, or the digits of the active question.

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0']

class Form {
  constructor(part, place, onChange) {
    this.part = part
    this.place = place
    this.onChange = onChange
    this.rows = [{}]
    this.index = 0
    this.active = null
  }

  get row() { return this.rows[this.index] }

  set(rows) {
    this.rows = rows.map(row => ({ ...row }))
    this.index = this.rows.length - 1
    this.active = this.firstOpen() ?? this.part.questions[0].name
    this.draw()
  }

  asked(question, row = this.row) {
    return Object.entries(question.when ?? {}).every(([name, values]) => values.includes(row[name]))
  }

  isOpen(question, row = this.row) {
    const answer = row[question.name]
    return this.asked(question, row) && !question.optional && (answer === undefined || answer.length === 0)
  }

  firstOpen() { return this.part.questions.find(one => this.isOpen(one))?.name ?? null }

  // The name of the first question without an answer, in any row.
  missing() {
    for (const row of this.rows) {
      const open = this.part.questions.find(one => this.isOpen(one, row))
      if (open) return open
    }
    return null
  }

  // Rows without answers to questions that are not asked.
  result() {
    return this.rows.map(row => Object.fromEntries(
      this.part.questions.filter(one => this.asked(one, row) && row[one.name] !== undefined && row[one.name] !== '').map(one => [one.name, row[one.name]]),
    ))
  }

  question(name) { return this.part.questions.find(one => one.name === name) }

  setActive(name) {
    if (this.active === name) return
    this.active = name
    for (const one of this.place.querySelectorAll('fieldset')) one.classList.toggle('active', one.dataset.name === name)
    this.reveal()
    this.onChange()
  }

  // Scroll to the active question.
  reveal() { this.place.querySelector('fieldset.active')?.scrollIntoView({ block: 'nearest' }) }

  answer(question, value, advance) {
    const row = this.row
    if (question.kind === 'several') {
      const old = row[question.name] ?? []
      const without = old.filter(one => one !== value && (one === 'none') === (value === 'none'))
      row[question.name] = old.includes(value) ? old.filter(one => one !== value) : [...without, value]
    } else row[question.name] = value
    for (const one of this.part.questions) if (!this.asked(one)) delete row[one.name]
    const next = advance && question.kind !== 'several' ? this.firstOpen() : null
    this.active = next ?? question.name
    this.draw()
    this.onChange()
  }

  digit(key) {
    const question = this.question(this.active)
    const option = question?.options[DIGITS.indexOf(key)]
    if (!option || !this.asked(question)) return false
    this.answer(question, option.value, true)
    say(this.isChosen(question, option) ? `${question.text} ${option.label}` : `${option.label}: taken back`)
    return true
  }

  // Move to the question before or after the active one.
  step(by) {
    const asked = this.part.questions.filter(one => this.asked(one) && one.kind !== 'text')
    const at = asked.findIndex(one => one.name === this.active)
    this.setActive(asked[clamp(at + by, 0, asked.length - 1)].name)
    say(this.question(this.active).text)
  }

  isChosen(question, option) { return [this.row[question.name]].flat().includes(option.value) }

  canAdd() { return this.rows.length < this.part.repeats && !this.missing() && Object.keys(this.result().at(-1)).length > 1 }

  add() {
    if (!this.canAdd()) return
    this.rows.push({})
    this.set(this.rows)
    this.onChange()
    say(`Finding ${this.rows.length}`)
  }

  remove(index) {
    this.rows.splice(index, 1)
    this.set(this.rows)
    this.onChange()
  }

  told(row) {
    return this.part.questions
      .filter(one => one.options.length && row[one.name] !== undefined)
      .map(one => one.options.find(option => option.value === row[one.name])?.label).filter(Boolean).join(', ')
  }

  draw() {
    const focused = document.activeElement?.dataset?.option
    const parts = []
    this.rows.slice(0, -1).forEach((row, index) => parts.push(element('div', { className: 'told' },
      element('span', { textContent: this.told(row) }),
      element('button', { type: 'button', className: 'quiet', textContent: 'Remove', 'aria-label': `Remove ${this.told(row)}`, onclick: () => this.remove(index) }))))
    for (const question of this.part.questions) if (this.asked(question)) parts.push(this.fieldset(question))
    if (this.canAdd()) parts.push(element('button', { type: 'button', id: 'add', onclick: () => this.add() }, 'Add another finding ', element('kbd', { textContent: 'N' })))
    this.place.replaceChildren(...parts)
    if (focused) this.place.querySelector(`[data-option="${CSS.escape(focused)}"]`)?.focus()
    this.reveal()
  }

  fieldset(question) {
    const legend = element('legend', { textContent: question.text })
    if (question.optional) legend.append(element('small', { textContent: '  optional' }))
    if (question.kind === 'several') legend.append(element('small', { textContent: '  one or several' }))
    const set = element('fieldset', { className: question.name === this.active ? 'active' : '' }, legend)
    set.dataset.name = question.name
    set.addEventListener('focusin', () => this.setActive(question.name))
    set.addEventListener('pointerdown', () => this.setActive(question.name))
    if (question.kind === 'box') set.append(...this.boxControls(question))
    else if (question.kind === 'text') set.append(this.textControl(question))
    else question.options.forEach((option, index) => set.append(this.option(question, option, index)))
    return set
  }

  option(question, option, index) {
    const chosen = this.isChosen(question, option)
    const input = element('input', { type: question.kind === 'several' ? 'checkbox' : 'radio', name: question.name, checked: chosen })
    input.dataset.option = `${question.name} ${option.value}`
    input.addEventListener('change', () => this.answer(question, option.value, false))
    const label = element('label', { className: `option ${chosen ? 'chosen' : ''}` }, input, element('span', { textContent: option.label }))
    if (DIGITS[index]) label.append(element('kbd', { textContent: DIGITS[index], 'aria-hidden': 'true' }))
    return label
  }

  textControl(question) {
    const input = element('input', { type: 'text', id: 'text', value: this.row[question.name] ?? '', maxLength: 500, autocomplete: 'off', 'aria-label': question.text })
    input.dataset.option = question.name
    input.addEventListener('input', () => { this.row[question.name] = input.value })
    return input
  }

  boxControls(question) {
    const box = this.row[question.name]
    const button = element('button', { type: 'button', id: 'box-by-keys', onclick: () => this.onKeys?.() }, box ? 'Move it by keys ' : 'Place it by keys ', element('kbd', { textContent: 'B' }))
    const parts = [element('p', { className: 'hint', textContent: box ? 'Drawn. Drag again to replace it.' : 'Drag a box on the picture, or' }), button]
    if (box) parts.push(' ', element('button', { type: 'button', className: 'quiet', textContent: 'Remove', onclick: () => { delete this.row[question.name]; this.active = question.name; this.draw(); this.onChange() } }))
    return parts
  }
}
