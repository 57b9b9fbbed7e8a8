// Draws what report.py hands over on stdin: node plot.mjs FILE.svg, in client-web's folder.
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'

const echarts = createRequire(`${process.cwd()}/`)('echarts')
const { title, curves } = JSON.parse(readFileSync(0, 'utf8'))
const colors = ['#1f7a55', '#8a5a00', '#2f5fb4', '#b4472f', '#7a3f94']
const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 880, height: 520 })
const grids = [{ left: 70, right: 90, top: 70, height: 170 }, { left: 70, right: 90, top: 310, height: 160 }]
const series = (key, index) => curves.map((one, n) => ({
  name: one.name, type: 'line', data: one[key], xAxisIndex: index, yAxisIndex: index, symbolSize: 6,
  lineStyle: { color: colors[n], width: 2 }, itemStyle: { color: colors[n] },
}))
chart.setOption({
  animation: false, backgroundColor: '#ffffff', grid: grids,
  title: { text: title, left: 70, top: 8, textStyle: { fontSize: 15 } },
  legend: { data: curves.map((one) => one.name), right: 20, top: 8, itemGap: 16 },
  xAxis: grids.map((_, n) => ({ type: 'log', gridIndex: n, name: 'viewers', nameLocation: 'end' })),
  yAxis: [
    { type: 'value', gridIndex: 0, name: 'CPU µs a forwarded packet', min: 0, nameTextStyle: { align: 'left' } },
    { type: 'log', gridIndex: 1, name: 'delay of sound, p99, ms', nameTextStyle: { align: 'left' } },
  ],
  series: [...series('cost', 0), ...series('audio', 1)],
})
writeFileSync(process.argv[2], chart.renderToSVGString())
// Its timers would keep the process.
process.exit(0)
