// The entry of the pages. Each module looks after one thing and listens for its own events.
// Every page works without scripts. What holds a secret is fetched and dropped in these modules alone.

import "./back.js";
import "./current-tab.js";
import "./menus.js";
import "./copy.js";
import "./masks.js";
import "./dialog.js";
import "./dialog-forms.js";
import "./secret-dialog.js";
import "./create-key.js";
import "./confirm-name.js";
import "./samples.js";
import "./key-test.js";
import "./key-search.js";
import "./key-selection.js";
import "./key-edit.js";
import "./chart.js";
import "./usage-filter.js";
import "./forms.js";
import "./offline.js";
import "./times.js";
import "./send-on-change.js";
