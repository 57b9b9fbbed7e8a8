// Draws what report.py hands over on stdin: node plot.mjs FILE.svg, in client-web's folder.
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'

const echarts = createRequire(`${process.cwd()}/`)('echarts')
const { title, curves } = JSON.parse(readFileSync(0, 'utf8'))
const colors = ['#1f7a55', '#b4472f']
const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 880, height: 420 })
const grids = [{ left: 60, right: 20, top: 50, height: 140 }, { left: 60, right: 20, top: 240, height: 130 }]
const series = (key, index) => curves.map((one, n) => ({
  name: one.name, type: 'line', step: key === 'height' ? 'end' : false, showSymbol: false,
  data: one[key], xAxisIndex: index, yAxisIndex: index, lineStyle: { color: colors[n], width: 2 },
  itemStyle: { color: colors[n] },
}))
chart.setOption({
  animation: false, backgroundColor: '#ffffff', grid: grids,
  title: { text: title, left: 60, top: 8, textStyle: { fontSize: 15 } },
  legend: { data: curves.map((one) => one.name), right: 20, top: 8 },
  xAxis: grids.map((_, n) => ({ type: 'value', gridIndex: n, min: 0, name: n ? 's' : '', nameLocation: 'end' })),
  yAxis: [
    { type: 'value', gridIndex: 0, name: 'lines of the picture (0: it stands)', min: 0, max: 720, interval: 180, nameTextStyle: { align: 'left' } },
    { type: 'value', gridIndex: 1, name: 'frames a second', min: 0, max: 40, interval: 10, nameTextStyle: { align: 'left' } },
  ],
  series: [...series('height', 0), ...series('fps', 1)],
})
writeFileSync(process.argv[2], chart.renderToSVGString())
// Its timers would keep the process.
process.exit(0)
