// What the page's charts need of ECharts, and nothing else of it.
import { LineChart } from "echarts/charts";
import { DataZoomInsideComponent, GridSimpleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([LineChart, GridSimpleComponent, DataZoomInsideComponent, CanvasRenderer]);
globalThis.echarts = { init };
