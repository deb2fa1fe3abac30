//! Reports of connection points.

use cmglab_site::{EndpointTraffic, ProxyTraffic, Site, SiteError};

use super::contract;
use crate::shared::{HOSTILE, Lab, at};

contract!(
    reports_are_listed_latest_first,
    the_oldest_report_makes_room,
    reports_over_a_limit_are_refused,
    hostile_names_are_data,
);

fn endpoint(name: &str) -> EndpointTraffic {
    EndpointTraffic {
        name: name.to_owned(),
        proxy_server: "CMG.LAB.TEST".to_owned(),
        target_host: "MP.LAB.TEST".to_owned(),
        total_requests: 3,
        with_bearer_token: 2,
        max_concurrent: 2,
        request_bytes: 2594,
        response_bytes: u64::MAX,
        failed: 1,
    }
}

fn report(number: i64) -> ProxyTraffic {
    ProxyTraffic {
        server: "CP.LAB.TEST".to_owned(),
        start: at(number * 300),
        end: at(number * 300 + 300),
        max_concurrent: u32::MAX,
        endpoints: vec![endpoint("CCM_STS"), endpoint("BGB")],
    }
}

async fn reports_are_listed_latest_first(lab: Lab) {
    assert_eq!(lab.site.traffic(10).await, Ok(vec![]));
    let silent = ProxyTraffic { endpoints: vec![], max_concurrent: 0, ..report(2) };
    for report in [report(1), silent.clone(), report(3)] {
        lab.site.record_traffic(report).await.unwrap();
    }
    assert_eq!(lab.site.traffic(10).await.unwrap(), [report(3), silent, report(1)]);
    assert_eq!(lab.site.traffic(1).await.unwrap(), [report(3)]);
    assert_eq!(lab.site.settings().await.unwrap().version, 1, "traffic is not published");
}

async fn the_oldest_report_makes_room(lab: Lab) {
    let most = i64::from(Site::MOST_TRAFFIC_REPORTS);
    for number in 0..=most {
        lab.site.record_traffic(report(number)).await.unwrap();
    }
    let kept = lab.site.traffic(u32::MAX).await.unwrap();
    assert_eq!(kept.len(), most as usize);
    assert_eq!((&kept[0], kept.last().unwrap()), (&report(most), &report(1)));
}

async fn reports_over_a_limit_are_refused(lab: Lab) {
    let named = |bytes| ProxyTraffic { server: "s".repeat(bytes), ..report(1) };
    assert_eq!(lab.site.record_traffic(named(256)).await, Ok(()));
    let refused = lab.site.record_traffic(named(257)).await;
    assert!(matches!(refused, Err(SiteError::TooLarge { size: 257, .. })), "{refused:?}");
    let many = |count| ProxyTraffic { endpoints: vec![endpoint("BGB"); count], ..report(1) };
    assert_eq!(lab.site.record_traffic(many(1024)).await, Ok(()));
    let refused = lab.site.record_traffic(many(1025)).await;
    assert!(matches!(refused, Err(SiteError::TooLarge { size: 1025, .. })), "{refused:?}");
    let long = ProxyTraffic { endpoints: vec![endpoint(&"e".repeat(257))], ..report(1) };
    assert!(matches!(lab.site.record_traffic(long).await, Err(SiteError::TooLarge { size: 257, .. })));
    assert_eq!(lab.site.traffic(10).await.unwrap().len(), 2);
}

async fn hostile_names_are_data(lab: Lab) {
    for text in HOSTILE {
        let hostile = ProxyTraffic { server: text.to_owned(), endpoints: vec![endpoint(text)], ..report(1) };
        lab.site.record_traffic(hostile.clone()).await.unwrap();
        assert_eq!(lab.site.traffic(1).await.unwrap(), [hostile]);
    }
}
