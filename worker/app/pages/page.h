/* The status page: one static HTML file (page.html) that is built in and asks /status.json. Its
 * Content-Security-Policy allows its own script and styles by their hashes (Content Security Policy
 * Level 3), questions to this worker, and nothing else. Loop thread only. */
#ifndef APP_PAGES_PAGE_H
#define APP_PAGES_PAGE_H

#include "io/server/server.h"

extern const unsigned char PAGE_HTML[];
extern const unsigned long PAGE_HTML_LEN;

/* Makes the page. */
void page_answer(struct server_page *ret_page);
/* Its policy; static. */
const char *page_policy(void);

#endif
