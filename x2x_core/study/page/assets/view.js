// Pictures: window and level, zoom and pan in all panes alike, and boxes on them.

const FULL = { width: 255, level: 127.5 }

class View {
  constructor(stage, onBox) {
    this.stage = stage
    this.onBox = onBox
    this.funcs = [...document.querySelectorAll('#window feFuncR, #window feFuncG, #window feFuncB')]
    this.panes = []
    this.drawing = false
    this.observer = new ResizeObserver(() => this.place())
    this.reset()
  }

  // Show pictures; resolves when they are drawn, or rejects with the first that is missing.
  show(names, sides, alt) {
    this.observer.disconnect()
    this.stage.replaceChildren()
    this.boxes = []
    this.reset()
    this.panes = names.map((name, index) => {
      const pane = element('div', { className: 'pane' })
      const image = element('img', { alt: sides[index] ? `${alt}, ${sides[index].toLowerCase()}` : alt, draggable: false })
      pane.append(image)
      if (sides[index]) pane.append(element('span', { className: 'side', textContent: sides[index] }))
      this.stage.append(pane)
      this.listen(pane, index)
      this.observer.observe(pane)
      image.src = `pictures/${name}`
      return { pane, image, name }
    })
    this.mark()
    return Promise.all(this.panes.map(({ pane, image, name }) => image.decode().then(() => this.place(), () => {
      pane.append(element('p', { className: 'failed', textContent: `pictures/${name} cannot be shown. Is the folder complete?` }))
      throw new Error(name)
    })))
  }

  reset() {
    Object.assign(this, { zoom: 1, x: 0, y: 0, width: FULL.width, level: FULL.level, inverted: false })
    this.tone()
    this.place()
  }

  tone() {
    let slope = 255 / this.width
    let intercept = 0.5 - this.level / this.width
    if (this.inverted) { slope = -slope; intercept = 1 - intercept }
    for (const func of this.funcs) { func.setAttribute('slope', slope); func.setAttribute('intercept', intercept) }
    this.onChange?.()
  }

  window(width, level) {
    this.width = clamp(this.width + width, 8, 510)
    this.level = clamp(this.level + level, 0, 255)
    this.tone()
  }

  invert() { this.inverted = !this.inverted; this.tone() }

  // Zoom by a factor about a point of a pane (its middle by default), in pixels of the pane.
  zoomBy(factor, at) {
    const zoom = clamp(this.zoom * factor, 1, 16)
    const moved = zoom / this.zoom
    if (at) { this.x = at.x - (at.x - this.x) * moved; this.y = at.y - (at.y - this.y) * moved }
    else { this.x *= moved; this.y *= moved }
    this.zoom = zoom
    this.place()
  }

  pan(x, y) { this.x += x; this.y += y; this.place() }

  // Scale of a picture and where its middle stands, in pixels of its pane.
  frame({ pane, image }) {
    const fit = Math.min(pane.clientWidth / image.naturalWidth, pane.clientHeight / image.naturalHeight) || 1
    const scale = fit * this.zoom
    const left = pane.clientWidth / 2 + this.x - (image.naturalWidth * scale) / 2
    const top = pane.clientHeight / 2 + this.y - (image.naturalHeight * scale) / 2
    return { scale, left, top }
  }

  place() {
    for (const one of this.panes) {
      const room = { x: (one.pane.clientWidth * this.zoom) / 2, y: (one.pane.clientHeight * this.zoom) / 2 }
      this.x = this.zoom === 1 ? 0 : clamp(this.x, -room.x, room.x)
      this.y = this.zoom === 1 ? 0 : clamp(this.y, -room.y, room.y)
      const { scale, left, top } = this.frame(one)
      one.image.style.transform = `translate(${left}px, ${top}px) scale(${scale})`
    }
    this.drawBoxes()
    this.onChange?.()
  }

  // Boxes are {pane, box: [left, top, right, bottom] in pixels of the picture, kind}.
  setBoxes(boxes) { this.boxes = boxes; this.drawBoxes() }

  drawBoxes() {
    for (const old of this.stage.querySelectorAll('.box')) old.remove()
    for (const { pane, box, kind } of this.boxes ?? []) {
      const one = this.panes[pane ?? 0]
      if (!one) continue
      const { scale, left, top } = this.frame(one)
      const shown = element('div', { className: `box ${kind}` })
      Object.assign(shown.style, {
        left: `${left + box[0] * scale}px`, top: `${top + box[1] * scale}px`,
        width: `${(box[2] - box[0]) * scale}px`, height: `${(box[3] - box[1]) * scale}px`,
      })
      one.pane.append(shown)
    }
  }

  setDrawing(drawing) { this.drawing = drawing; this.mark() }

  mark() { for (const { pane } of this.panes) pane.classList.toggle('drawing', this.drawing) }

  size(index) { const { image } = this.panes[index]; return [image.naturalWidth, image.naturalHeight] }

  listen(pane, index) {
    const place = event => { const box = pane.getBoundingClientRect(); return { x: event.clientX - box.left, y: event.clientY - box.top } }
    const pixel = event => {
      const one = this.panes[index]
      const { scale, left, top } = this.frame(one)
      const at = place(event)
      return [clamp((at.x - left) / scale, 0, one.image.naturalWidth), clamp((at.y - top) / scale, 0, one.image.naturalHeight)]
    }
    pane.addEventListener('contextmenu', event => event.preventDefault())
    pane.addEventListener('dblclick', () => this.reset())
    pane.addEventListener('wheel', event => {
      event.preventDefault()
      const at = place(event)
      this.zoomBy(Math.exp(-event.deltaY / 400), { x: at.x - pane.clientWidth / 2, y: at.y - pane.clientHeight / 2 })
    }, { passive: false })
    pane.addEventListener('pointerdown', event => {
      event.preventDefault()
      const shift = event.shiftKey || event.button === 1
      const draw = this.drawing && event.button === 0 && !shift
      const start = pixel(event)
      pane.setPointerCapture(event.pointerId)
      const move = next => {
        if (draw) {
          const end = pixel(next)
          const box = [Math.min(start[0], end[0]), Math.min(start[1], end[1]), Math.max(start[0], end[0]), Math.max(start[1], end[1])].map(Math.round)
          this.drawn = { pane: index, box }
          this.setBoxes([...this.boxes.filter(one => one.kind === 'truth'), { ...this.drawn, kind: '' }])
        } else if (shift) this.pan(next.movementX, next.movementY)
        else this.window(next.movementX, next.movementY)
      }
      const end = () => {
        pane.removeEventListener('pointermove', move)
        pane.removeEventListener('pointerup', end)
        pane.removeEventListener('pointercancel', end)
        const drawn = this.drawn
        this.drawn = null
        if (draw && drawn && drawn.box[2] - drawn.box[0] > 2 && drawn.box[3] - drawn.box[1] > 2) this.onBox(drawn)
        else if (draw && drawn) this.onBox(null)
      }
      pane.addEventListener('pointermove', move)
      pane.addEventListener('pointerup', end)
      pane.addEventListener('pointercancel', end)
    })
  }
}

function clamp(value, low, high) { return Math.min(Math.max(value, low), high) }

function element(name, facts = {}, ...children) {
  const one = document.createElement(name)
  for (const [key, value] of Object.entries(facts)) key in one ? (one[key] = value) : one.setAttribute(key, value)
  one.append(...children)
  return one
}
