#include "base/instant.h"

#include "base/check.h"

#define DAY_MS  86400000
#define LAST_MS 253402300799999 /* 9999-12-31T23:59:59.999Z */

struct civil {
    int64_t year, month, day, hour, minute, second, ms;
};

/* Days since 1970-01-01 of a date of the Gregorian calendar. Years begin in March here, so that the
 * leap day is the last of its year and (153 * month + 2) / 5 counts the days of the months before.
 */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int64_t days_in(int64_t year, int64_t month)
{
    return month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

/* Timestamps of Kafka may be any number: those outside of the text forms' range are clipped to it.
 */
static struct civil civil_of(int64_t wall_ms)
{
    int64_t all_ms = wall_ms < 0 ? 0 : wall_ms > LAST_MS ? LAST_MS : wall_ms;
    int64_t days = all_ms / DAY_MS, rest = all_ms % DAY_MS;
    int64_t z = days + 719468;
    int64_t era = z / 146097, day_of_era = z % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    struct civil civil = {.month = m < 10 ? m + 3 : m - 9,
                          .day = day_of_year - (153 * m + 2) / 5 + 1,
                          .hour = rest / 3600000,
                          .minute = rest / 60000 % 60,
                          .second = rest / 1000 % 60,
                          .ms = rest % 1000};
    civil.year = era * 400 + year_of_era + (civil.month <= 2);
    return civil;
}

static void put_digits(char *at, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

void instant_add_rfc3339(struct buf *buf, int64_t wall_ms)
{
    struct civil civil = civil_of(wall_ms);
    char text[] = "0000-00-00T00:00:00.000Z";
    put_digits(text, civil.year, 4);
    put_digits(text + 5, civil.month, 2);
    put_digits(text + 8, civil.day, 2);
    put_digits(text + 11, civil.hour, 2);
    put_digits(text + 14, civil.minute, 2);
    put_digits(text + 17, civil.second, 2);
    put_digits(text + 20, civil.ms, 3);
    buf_add(buf, slice_of(text, sizeof text - 1));
}

void instant_add_basic(struct buf *buf, int64_t wall_ms)
{
    struct civil civil = civil_of(wall_ms);
    char text[] = "00000000T000000Z";
    put_digits(text, civil.year, 4);
    put_digits(text + 4, civil.month, 2);
    put_digits(text + 6, civil.day, 2);
    put_digits(text + 9, civil.hour, 2);
    put_digits(text + 11, civil.minute, 2);
    put_digits(text + 13, civil.second, 2);
    buf_add(buf, slice_of(text, sizeof text - 1));
}

/* A text that is read from left to right. At the first mismatch `wrong` is set and stays set; later
 * values are 0. */
struct reading {
    struct slice rest;
    bool wrong;
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static char next_byte(struct reading *reading)
{
    if (reading->wrong || reading->rest.len == 0) {
        reading->wrong = true;
        return '\0';
    }
    char byte = reading->rest.ptr[0];
    reading->rest = slice_sub(reading->rest, 1, SIZE_MAX);
    return byte;
}

static int64_t next_number(struct reading *reading, int count, int64_t low, int64_t high)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++) {
        char byte = next_byte(reading);
        if (!is_digit(byte))
            reading->wrong = true;
        value = value * 10 + (byte - '0');
    }
    if (value < low || value > high)
        reading->wrong = true;
    return reading->wrong ? 0 : value;
}

static void expect(struct reading *reading, struct slice text)
{
    if (!slice_starts(reading->rest, text))
        reading->wrong = true;
    else
        reading->rest = slice_sub(reading->rest, text.len, SIZE_MAX);
}

/* Reads .d to .ddddddddd as milliseconds; 0 when there are none. */
static int64_t next_decimals(struct reading *reading)
{
    int64_t value = 0;
    int count = 0;
    if (reading->rest.len == 0 || reading->rest.ptr[0] != '.')
        return 0;
    (void)next_byte(reading);
    while (reading->rest.len > 0 && is_digit(reading->rest.ptr[0])) {
        int64_t digit = next_number(reading, 1, 0, 9);
        if (count < 3)
            value = value * 10 + digit;
        count++;
    }
    if (count == 0 || count > 9)
        reading->wrong = true;
    for (int i = count; i < 3; i++)
        value *= 10;
    return value;
}

/* Reads Z or ±hh:mm as milliseconds east of UTC. */
static int64_t next_zone(struct reading *reading)
{
    char sign = next_byte(reading);
    if (sign == 'Z' || sign == 'z')
        return 0;
    if (sign != '+' && sign != '-')
        reading->wrong = true;
    int64_t hours = next_number(reading, 2, 0, 23);
    expect(reading, SLICE(":"));
    int64_t minutes = next_number(reading, 2, 0, 59);
    return (hours * 60 + minutes) * 60000 * (sign == '-' ? -1 : 1);
}

static bool finish(const struct reading *reading, const struct civil *civil, int64_t zone_ms,
                   int64_t *ret_wall_ms)
{
    if (reading->wrong || reading->rest.len > 0)
        return false;
    if (civil->day > 28 && civil->day > days_in(civil->year, civil->month))
        return false;
    int64_t wall_ms = days_of(civil->year, civil->month, civil->day) * DAY_MS +
                      civil->hour * 3600000 + civil->minute * 60000 + civil->second * 1000 +
                      civil->ms - zone_ms;
    if (wall_ms < 0 || wall_ms > LAST_MS)
        return false;
    /* Leap seconds are inserted at the end of a day in UTC only. */
    if (civil->second == 60 && wall_ms % DAY_MS >= 1000)
        return false;
    *ret_wall_ms = wall_ms;
    return true;
}

/* Of `count` digits; bytes that are none set bits in *wrong. */
static int64_t digits_of(const char *at, int count, unsigned *wrong)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++) {
        unsigned digit = (unsigned)(unsigned char)at[i] - '0';
        *wrong |= digit > 9;
        value = value * 10 + digit;
    }
    return value;
}

/* The form that instant_add_rfc3339 writes, which is read most. False: it is another one. */
static bool read_own(struct slice text, struct civil *ret)
{
    const char *at = text.ptr;
    unsigned wrong = 0;
    if (text.len != sizeof "2026-11-22T10:00:00.000Z" - 1 || at[4] != '-' || at[7] != '-' ||
        at[10] != 'T' || at[13] != ':' || at[16] != ':' || at[19] != '.' || at[23] != 'Z')
        return false;
    *ret = (struct civil){digits_of(at, 4, &wrong),      digits_of(at + 5, 2, &wrong),
                          digits_of(at + 8, 2, &wrong),  digits_of(at + 11, 2, &wrong),
                          digits_of(at + 14, 2, &wrong), digits_of(at + 17, 2, &wrong),
                          digits_of(at + 20, 3, &wrong)};
    return wrong == 0 && ret->year >= 1969 && ret->month >= 1 && ret->month <= 12 &&
           ret->day >= 1 && ret->day <= 31 && ret->hour <= 23 && ret->minute <= 59 &&
           ret->second <= 60;
}

bool instant_from_rfc3339(struct slice text, int64_t *ret_wall_ms)
{
    struct reading reading = {text, false};
    struct civil civil;
    if (read_own(text, &civil)) {
        reading.rest = SLICE("");
        return finish(&reading, &civil, 0, ret_wall_ms);
    }
    civil.year = next_number(&reading, 4, 1969, 9999);
    expect(&reading, SLICE("-"));
    civil.month = next_number(&reading, 2, 1, 12);
    expect(&reading, SLICE("-"));
    civil.day = next_number(&reading, 2, 1, 31);
    char separator = next_byte(&reading);
    if (separator != 'T' && separator != 't')
        reading.wrong = true;
    civil.hour = next_number(&reading, 2, 0, 23);
    expect(&reading, SLICE(":"));
    civil.minute = next_number(&reading, 2, 0, 59);
    expect(&reading, SLICE(":"));
    civil.second = next_number(&reading, 2, 0, 60);
    civil.ms = next_decimals(&reading);
    int64_t zone_ms = next_zone(&reading);
    return finish(&reading, &civil, zone_ms, ret_wall_ms);
}

/* Reads three letters and returns their place, from 1, among `names` of three letters each. */
static int64_t next_name(struct reading *reading, struct slice names)
{
    struct slice name = slice_sub(reading->rest, 0, 3);
    for (size_t at = 0; at + 3 <= names.len; at += 3) {
        if (slice_equal(slice_sub(names, at, 3), name)) {
            expect(reading, name);
            return (int64_t)(at / 3) + 1;
        }
    }
    reading->wrong = true;
    return 0;
}

bool instant_from_http_date(struct slice text, int64_t *ret_wall_ms)
{
    struct reading reading = {text, false};
    struct civil civil = {0};
    int64_t weekday = next_name(&reading, SLICE("SunMonTueWedThuFriSat"));
    expect(&reading, SLICE(", "));
    civil.day = next_number(&reading, 2, 1, 31);
    expect(&reading, SLICE(" "));
    civil.month = next_name(&reading, SLICE("JanFebMarAprMayJunJulAugSepOctNovDec"));
    expect(&reading, SLICE(" "));
    civil.year = next_number(&reading, 4, 1970, 9999);
    expect(&reading, SLICE(" "));
    civil.hour = next_number(&reading, 2, 0, 23);
    expect(&reading, SLICE(":"));
    civil.minute = next_number(&reading, 2, 0, 59);
    expect(&reading, SLICE(":"));
    civil.second = next_number(&reading, 2, 0, 60);
    expect(&reading, SLICE(" GMT"));
    int64_t wall_ms;
    if (!finish(&reading, &civil, 0, &wall_ms))
        return false;
    /* 1970-01-01 was a Thursday, the fifth name. */
    if ((days_of(civil.year, civil.month, civil.day) + 4) % 7 + 1 != weekday)
        return false;
    *ret_wall_ms = wall_ms;
    return true;
}
